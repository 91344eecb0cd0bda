internal import Simdjson

/// Why an item can't be a document, or a document is no item. Each ends a sentence about it.
enum FormatError: Error, Equatable, CustomStringConvertible {
    case notAnItem(SimdjsonError)
    /// A number of more digits than BSON's have, and the format has no other place for it.
    case inexact(attribute: String, number: String)
    /// A field that nothing here has written.
    case foreign(field: String, problem: String)

    var description: String {
        switch self {
        case .notAnItem(let error): error.description
        case .inexact(let attribute, let number):
            "the attribute \(attribute) is \(number), and MongoDB's numbers have 34 digits: keep such ones as texts (inexact: string), "
                + "or take the format typed"
        case .foreign(let field, let problem):
            "the field \(field) \(problem): it was not written so by this target; take the document away, or mend it"
        }
    }

    /// With what stands before: of a field within another one, or an attribute.
    func below(_ name: some Sequence<UInt8>) -> FormatError {
        let name = String(decoding: Array(name), as: UTF8.self)
        func joined(_ path: String) -> String {
            path.isEmpty || path.hasPrefix("[") ? name + path : "\(name).\(path)"
        }
        return switch self {
        case .notAnItem(.badValue(path: let path, problem: let problem)):
            .notAnItem(.badValue(path: joined(path), problem: problem))
        case .notAnItem: self
        case .inexact(attribute: let path, number: let number): .inexact(attribute: joined(path), number: number)
        case .foreign(field: let path, problem: let problem): .foreign(field: joined(path), problem: problem)
        }
    }

    func below(element: Int) -> FormatError {
        let step = "[\(element)]"
        func joined(_ path: String) -> String { path.isEmpty || path.hasPrefix("[") ? step + path : "\(step).\(path)" }
        return switch self {
        case .notAnItem(.badValue(path: let path, problem: let problem)):
            .notAnItem(.badValue(path: joined(path), problem: problem))
        case .notAnItem: self
        case .inexact(attribute: let path, number: let number): .inexact(attribute: joined(path), number: number)
        case .foreign(field: let path, problem: let problem): .foreign(field: joined(path), problem: problem)
        }
    }
}
