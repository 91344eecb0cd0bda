/// What `#name` and `:value` stand for, as the AWS CLI's `--expression-attribute-names` and `-values` have it.
package struct Placeholders: Sendable {
    struct Entry<Value: Hashable & Sendable>: Hashable, Sendable {
        let value: Value
        /// As it was given.
        let json: [UInt8]
    }

    private(set) var names: [String: Entry<[UInt8]>] = [:]
    private(set) var values: [String: Entry<Value>] = [:]
    private var unused: Set<String>

    /// - Parameters:
    ///   - names: a JSON object such as `{"#s": "status"}`.
    ///   - values: a JSON object such as `{":v": {"S": "open"}}`.
    /// - Throws: `.placeholders`.
    package init(names: String? = nil, values: String? = nil) throws(FilterError) {
        if let names {
            self.names = try Self.entries(names, "names", "#", ##"a text, such as {"#s": "status"}"##) { json in
                json.string.flatMap { $0.isEmpty ? nil : $0 }
            }
        }
        if let values {
            self.values = try Self.entries(
                values, "values", ":", #"an attribute value, such as {":v": {"S": "open"}} or {":v": {"N": "1"}}"#
            ) { Value($0) }
        }
        unused = Set(self.names.keys).union(self.values.keys)
    }

    /// After all expressions.
    ///
    /// - Throws: `.unused`.
    package func checkAllUsed() throws(FilterError) {
        guard unused.isEmpty else { throw .unused(unused.sorted()) }
    }

    mutating func name(_ placeholder: String) -> [UInt8]? {
        unused.remove(placeholder)
        return names[placeholder]?.value
    }

    mutating func value(_ placeholder: String) -> Value? {
        unused.remove(placeholder)
        return values[placeholder]?.value
    }

    private static func entries<Value>(
        _ text: String, _ what: String, _ sigil: Character, _ expected: String, _ read: (JSONView) -> Value?
    ) throws(FilterError) -> [String: Entry<Value>] {
        let bytes = Array(text.utf8)
        var entries: [String: Entry<Value>] = [:]
        var problem: String?
        let isObject = JSONView(bytes, bytes.indices).members { name, json in
            guard let key = name.string.map({ String(decoding: $0, as: UTF8.self) }) else { return false }
            guard key.first == sigil, key.utf8.count > 1, key.utf8.dropFirst().allSatisfy(Token.isWordByte) else {
                problem = "'\(key)' must be \(sigil) with letters, digits and '_' behind it"
                return false
            }
            guard let value = read(json) else {
                problem = "\(key) must be \(expected)"
                return false
            }
            guard entries.updateValue(Entry(value: value, json: Array(json.text)), forKey: key) == nil else {
                problem = "\(key) is said twice"
                return false
            }
            return true
        }
        guard isObject else { throw .placeholders(of: what, reason: problem ?? "not a JSON object of \(expected)") }
        return entries
    }
}
