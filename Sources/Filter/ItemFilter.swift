internal import Crypto

/// A FilterExpression: the service evaluates it in a scan, and this module of what a stream brings.
package struct ItemFilter: Hashable, Sendable {
    package let expression: String
    /// The placeholders that it uses, as a request has them; `nil` where it uses none.
    package let names: [UInt8]?
    package let values: [UInt8]?
    private let condition: Condition

    /// - Parameter placeholders: learns which of them are used.
    /// - Throws: what is wrong with the expression, and where.
    package init(_ expression: String, _ placeholders: inout Placeholders) throws(FilterError) {
        var parser = try ConditionParser(expression, placeholders)
        condition = try parser.parse()
        placeholders = parser.placeholders
        self.expression = expression
        let known = parser.placeholders
        names = Self.object(parser.used.compactMap { name in known.names[name].map { (name, $0.json) } })
        values = Self.object(parser.used.compactMap { name in known.values[name].map { (name, $0.json) } })
    }

    /// By which it is told from another one. What its values are can't be read from it.
    package var fingerprint: String {
        var hash = SHA256()
        for part in [Array(expression.utf8), names ?? [], values ?? []] { hash.update(data: part + [0]) }
        return hash.finalize().prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Whether an item is one of those that are wanted. What does not fit the expression does not match it; nothing
    /// traps.
    ///
    /// - Parameter range: of a JSON object of attribute values.
    package func matches(_ body: [UInt8], _ range: Range<Int>) -> Bool { condition.holds(for: JSONView(body, range)) }

    private static func object(_ members: [(name: String, json: [UInt8])]) -> [UInt8]? {
        guard !members.isEmpty else { return nil }
        let texts = members.sorted { $0.name < $1.name }.map { Array("\"\($0.name)\":".utf8) + $0.json }
        return [UInt8(ascii: "{")] + texts.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "}")]
    }
}
