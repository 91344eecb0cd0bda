/// The text of a shared AWS file: sections of settings, some with settings of their own indented below.
///
///     [profile work]            ; a comment
///     region = eu-west-1
///     services = local
///     [services local]
///     dynamodb =
///         endpoint_url = http://localhost:8000
///
/// Read by bytes and lines, since "\r\n" is one `Character` in Swift and files from Windows have it.
struct ConfigurationText: Equatable, Sendable {
    struct Section: Equatable, Sendable {
        var settings: [String: String] = [:]
        /// `dynamodb` → `endpoint_url` → …
        var nested: [String: [String: String]] = [:]
    }

    private(set) var sections: [String: Section] = [:]

    /// - Parameter path: for messages.
    /// - Throws: `.configuration` naming the line that is neither a section, a setting nor a comment.
    init(_ bytes: [UInt8], path: String) throws(DynamoDBError) {
        var bytes = bytes[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        var section: String?
        var outer: String?
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let text = String(decoding: line, as: UTF8.self)
            let content = Self.withoutComment(text).trimmed
            guard !content.isEmpty else { continue }
            if content.first == "[" {
                guard content.last == "]" else { throw Self.bad(path, index, "a section's name isn't closed by ]") }
                // [profile "a b"] and [profile   x] name the profiles `a b` and `x`.
                let words = content.dropFirst().dropLast().trimmed.split(maxSplits: 1) { $0.isWhitespace }
                let name = words.map { $0.trimmed.trimmingQuotes }.joined(separator: " ")
                guard !name.isEmpty else { throw Self.bad(path, index, "a section without a name") }
                sections[name, default: Section()] = sections[name] ?? Section()
                (section, outer) = (name, nil)
                continue
            }
            guard let equals = content.firstIndex(of: "=") else {
                throw Self.bad(path, index, "neither [section] nor name = value")
            }
            guard let section else { throw Self.bad(path, index, "a setting before the first [section]") }
            let name = content[..<equals].trimmed.lowercased()
            let value = content[content.index(after: equals)...].trimmed
            if text.first?.isWhitespace == true, let outer {
                sections[section]?.nested[outer, default: [:]][name] = value
            } else {
                sections[section]?.settings[name] = value
                outer = value.isEmpty ? name : nil
            }
        }
    }

    init() {}

    private static func withoutComment(_ line: String) -> Substring {
        let content = line.drop { $0.isWhitespace }
        if content.first == "#" || content.first == ";" { return "" }
        var previous: Character = "x"
        for index in line.indices {
            // Within a value a comment begins only after white space: a secret may hold a '#'.
            if (line[index] == "#" || line[index] == ";") && previous.isWhitespace { return line[..<index] }
            previous = line[index]
        }
        return line[...]
    }

    private static func bad(_ path: String, _ index: Int, _ why: String) -> DynamoDBError {
        .configuration("\(path), line \(index + 1): \(why)")
    }
}

extension String {
    fileprivate var trimmingQuotes: String {
        guard count >= 2, let quote = first, quote == "\"" || quote == "'", last == quote else { return self }
        return String(dropFirst().dropLast())
    }
}
