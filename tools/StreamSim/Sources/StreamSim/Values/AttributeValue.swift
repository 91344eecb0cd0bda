/// A value of an item. The elements of a set are in order, each once, so that equal values are equal, and equal bytes.
package enum AttributeValue: Hashable, Sendable {
    case string(Text)
    case number(DynamoNumber)
    case binary([UInt8])
    case bool(Bool)
    case null
    case stringSet([Text])
    case numberSet([DynamoNumber])
    case binarySet([[UInt8]])
    case list([AttributeValue])
    case map(Attributes)

    /// Lists and maps in one another (Developer Guide, Quotas).
    package static let deepest = 32

    package static func set(_ elements: some Sequence<Text>) -> AttributeValue { .stringSet(inOrder(elements, by: <)) }
    package static func set(_ elements: some Sequence<DynamoNumber>) -> AttributeValue {
        .numberSet(inOrder(elements, by: <))
    }
    package static func set(_ elements: some Sequence<[UInt8]>) -> AttributeValue {
        .binarySet(inOrder(elements, by: UTF8Bytes.precedes))
    }

    private static func inOrder<Element: Equatable>(
        _ elements: some Sequence<Element>, by precedes: (Element, Element) -> Bool
    ) -> [Element] {
        var result: [Element] = []
        for element in elements.sorted(by: precedes) where result.last != element { result.append(element) }
        return result
    }

    package init(_ string: String) { self = .string(Text(string)) }
    package init(_ integer: Int64) { self = .number(DynamoNumber(integer)) }

    /// As the API Reference calls it.
    package var type: String { kind.rawValue }

    var kind: Kind {
        switch self {
        case .string: .string
        case .number: .number
        case .binary: .binary
        case .bool: .bool
        case .null: .null
        case .stringSet: .stringSet
        case .numberSet: .numberSet
        case .binarySet: .binarySet
        case .list: .list
        case .map: .map
        }
    }

    enum Kind: String, CaseIterable, Sendable {
        case string = "S"
        case number = "N"
        case binary = "B"
        case bool = "BOOL"
        case null = "NULL"
        case stringSet = "SS"
        case numberSet = "NS"
        case binarySet = "BS"
        case list = "L"
        case map = "M"

        /// What `<` and BETWEEN take.
        var isOrdered: Bool { self == .string || self == .number || self == .binary }
        var isSet: Bool { self == .stringSet || self == .numberSet || self == .binarySet }
    }

    /// How many lists and maps are in one another, counting this one.
    var depth: Int {
        switch self {
        case .list(let elements): 1 + (elements.lazy.map(\.depth).max() ?? 0)
        case .map(let attributes): 1 + attributes.depth
        default: 0
        }
    }

    /// Bytes of it in an item.
    ///
    /// Source: Developer Guide, DynamoDB Item sizes and formats; of numbers see `DynamoNumber.size`.
    package var size: Int {
        switch self {
        case .string(let text): text.bytes.count
        case .number(let number): number.size
        case .binary(let bytes): bytes.count
        case .bool, .null: 1
        case .stringSet(let texts): texts.reduce(0) { $0 + $1.bytes.count }
        case .numberSet(let numbers): numbers.reduce(0) { $0 + $1.size }
        case .binarySet(let values): values.reduce(0) { $0 + $1.count }
        case .list(let elements): elements.reduce(3) { $0 + 1 + $1.size }
        case .map(let attributes): 3 + attributes.count + attributes.size
        }
    }
}

extension AttributeValue: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}

extension AttributeValue: ExpressibleByIntegerLiteral {
    package init(integerLiteral value: Int64) { self.init(value) }
}
