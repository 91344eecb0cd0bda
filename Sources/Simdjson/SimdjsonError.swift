/// Why a reply, or an item in it, can't be read.
package enum SimdjsonError: Error, Equatable, CustomStringConvertible {
    /// Not JSON, cut off, not UTF-8, or a member of the wrong kind; `detail` in simdjson's words.
    case malformed(element: Int, detail: String)
    /// 4 GiB or more: places in a body are 32 bits wide.
    case tooLarge(bytes: Int)
    case outOfMemory
    /// A reply without `member`, so it isn't the reply that was asked for.
    case missing(member: String)
    /// A record or item without `member`, counted from 0.
    case incomplete(element: Int, member: String)
    /// A record whose eventName is none of INSERT, MODIFY and REMOVE.
    case unknownEvent(element: Int)
    /// A record whose sequence number isn't 1 to 40 digits.
    case badSequenceNumber(element: Int)
    /// An item without a key attribute; the name as far as it can be shown.
    case noKeyAttribute(name: String)
    /// A key attribute that isn't of the table's type for it.
    case keyType(name: String, expected: String)
    /// What is no attribute value: where within the item, such as `a.b[3]`, and what is wrong with it, as the end of a sentence.
    case badValue(path: String, problem: String)

    package var description: String {
        switch self {
        case .malformed(let element, let detail): "malformed JSON near element \(element): \(detail)"
        case .tooLarge(let bytes): "a body of \(bytes) bytes; 4 GiB is the most that can be read"
        case .outOfMemory: "no memory for the JSON parser"
        case .missing(let member): "a reply without \(member)"
        case .incomplete(let element, let member): "record \(element) has no \(member)"
        case .unknownEvent(let element): "record \(element) has an eventName other than INSERT, MODIFY and REMOVE"
        case .badSequenceNumber(let element): "record \(element) has a SequenceNumber that isn't 1 to 40 digits"
        case .noKeyAttribute(let name): "an item without its key attribute \"\(name)\""
        case .keyType(let name, let expected): "key attribute \"\(name)\" isn't of the table's type for it, \(expected)"
        case .badValue(let path, let problem): path.isEmpty ? "the item \(problem)" : "the attribute \(path) \(problem)"
        }
    }
}
