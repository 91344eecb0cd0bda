/// Writes as an application would, at its worst: a few keys get most of it, and there are attributes of every type, with names
/// and texts that break what is careless.
///
/// The same seed gives the same changes.
package struct Workload: Sendable {
    package enum Change: Hashable, Sendable {
        case put(Attributes)
        /// The key of what is removed.
        case delete(Attributes)
    }

    private let schema: KeySchema
    /// How many different keys there are, and how many of them get half of the changes.
    private let keys: Int
    private let hot: Int
    private var chance: Chance
    /// A counter, and what else an item may have: no attribute of the key is among them.
    private let versionName: Text
    private let names: [Text]
    private var version = 0
    private var last: Attributes?

    package init(_ schema: KeySchema, keys: Int, hot: Int, seed: UInt64) {
        self.schema = schema
        self.keys = max(1, keys)
        self.hot = min(max(1, hot), max(1, keys))
        chance = Chance(seed: seed)
        let ofKey = Set(schema.attributes.map(\.name))
        names = Self.names.map { Text($0) }.filter { !ofKey.contains($0) }
        versionName = ["version", "version of it", "its version"].first { !ofKey.contains($0) } ?? "version"
    }

    package mutating func next() -> Change {
        let number = chance.percent(50) ? chance.below(hot) : chance.below(keys)
        // One that changes nothing now and then.
        if let last, chance.percent(3) { return .put(last) }
        var item = key(number)
        if chance.percent(15) { return .delete(item) }
        version += 1
        item[versionName] = DynamoNumber(Text("\(version)")).map(AttributeValue.number)
        for _ in 0..<chance.below(4) { item[name()] = value(depth: 0) }
        last = item
        return .put(item)
    }

    // MARK: - Keys

    /// The `number`th key: the same number, the same key.
    package func key(_ number: Int) -> Attributes {
        var item = Attributes()
        guard let range = schema.range else {
            item[schema.hash.name] = Self.keyValue(number, schema.hash.type)
            return item
        }
        // A few items a partition.
        item[schema.hash.name] = Self.keyValue(number / 4, schema.hash.type)
        item[range.name] = Self.keyValue(number, range.type)
        return item
    }

    private static func keyValue(_ number: Int, _ type: String) -> AttributeValue {
        switch type {
        case "N":
            let text = number % 3 == 1 ? "-\(number).5" : number % 3 == 2 ? "\(number)e20" : "\(number)"
            return DynamoNumber(Text(text)).map(AttributeValue.number) ?? .null
        case "B":
            return .binary([0, 255] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) })
        default: return .string(Text("\(hostile[number % hostile.count])-\(number)"))
        }
    }

    // MARK: - Attributes

    private mutating func name() -> Text { pick(names) }

    private mutating func value(depth: Int) -> AttributeValue {
        switch chance.below(depth < 3 ? 10 : 8) {
        case 0: .string(text())
        case 1: .number(number())
        case 2: .binary(binary())
        case 3: .bool(chance.percent(50))
        case 4: .null
        case 5: .set(some { $0.text() })
        case 6: .set(some { $0.number() })
        case 7: .set(some { $0.binary() })
        case 8: .list((0..<chance.below(4)).map { _ in value(depth: depth + 1) })
        default: .map(attributes(depth: depth + 1))
        }
    }

    private mutating func attributes(depth: Int) -> Attributes {
        var attributes = Attributes()
        for _ in 0..<chance.below(4) { attributes[name()] = value(depth: depth) }
        return attributes
    }

    private mutating func text() -> Text {
        let text = pick(Self.hostile)
        return Text(chance.percent(10) ? String(repeating: text, count: 1 + chance.below(200)) : text)
    }

    private mutating func number() -> DynamoNumber {
        DynamoNumber(Text(pick(Self.numbers))) ?? DynamoNumber(0)
    }

    private mutating func binary() -> [UInt8] {
        (0..<chance.below(20)).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
    }

    /// One to three of them.
    private mutating func some<T>(_ make: (inout Workload) -> T) -> [T] {
        (0..<1 + chance.below(3)).map { _ in make(&self) }
    }

    private mutating func pick<T>(_ choices: [T]) -> T { choices[chance.below(choices.count)] }

    private static let hostile = [
        "plain", "\"quoted\\\" }", "é", "e\u{301}", "🦈", "\u{1}\u{1f}\u{7f}", "NextShardIterator\":\"x", "NULL", " ",
        "]}],\"Records\":[", "\u{2028}", "a\0b", "</script>", "' OR 1=1 --", "0", "\u{FFFF}\u{FEFF}",
    ]
    private static let names = [
        "text", "é", "e\u{301}", "with space", "quote\"", "back\\slash", "NextShardIterator", "Records", "🦈", "\u{1}",
        "a.b", "$ref", "NULL", "select", "#name", ":value", "_id", "S", "__proto__", "a[0]", "\u{2028}", "x\0y",
    ]
    private static let numbers = [
        "0", "-1", "1.5", "9007199254740993", "12345678901234567890123456789012345678", "-0.00000000000000000001",
        "1e125", "-9.9999999999999999999999999999999999999e125", "1e-130", "0.1", "1e20", "100",
    ]
}
