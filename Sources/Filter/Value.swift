internal import FoundationEssentials
internal import StreamModel

typealias Value = AttributeValue

/// What conditions ask of an attribute value.
extension AttributeValue {
    /// The types, by their names in the API.
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

        var isOrdered: Bool { self == .string || self == .number || self == .binary }
        var hasSize: Bool { self != .number && self != .bool && self != .null }
    }

    /// The service nests 32 deep (Developer Guide, limits).
    static let deepest = 64

    /// `nil` for what is no attribute value, such as a number that isn't one: it is equal to nothing.
    init?(_ json: JSONView, depth: Int = 0) {
        guard depth <= Self.deepest, let (kind, value) = Self.typed(json) else { return nil }
        switch kind {
        case .string:
            guard let text = value.string else { return nil }
            self = .string(text)
        case .number:
            guard let number = Self.number(value) else { return nil }
            self = .number(number)
        case .binary:
            guard let bytes = Self.binary(value) else { return nil }
            self = .binary(bytes)
        case .bool:
            guard let bool = value.bool else { return nil }
            self = .bool(bool)
        case .null:
            guard value.bool != nil else { return nil }
            self = .null
        case .stringSet:
            guard let set = Self.set(value, \.string) else { return nil }
            self = .stringSet(set)
        case .numberSet:
            guard let set = Self.set(value, Self.number) else { return nil }
            self = .numberSet(set)
        case .binarySet:
            guard let set = Self.set(value, Self.binary) else { return nil }
            self = .binarySet(set)
        case .list:
            guard let list = Self.array(value, { Value($0, depth: depth + 1) }) else { return nil }
            self = .list(list)
        case .map:
            var map: [[UInt8]: Value] = [:]
            let isRead = value.members { name, value in
                guard let name = name.string, let value = Value(value, depth: depth + 1) else { return false }
                map[name] = value
                return true
            }
            guard isRead else { return nil }
            self = .map(map)
        }
    }

    /// The type and what is of it, not yet looked at.
    static func typed(_ json: JSONView) -> (kind: Kind, value: JSONView)? {
        guard let (name, value) = json.onlyMember, let kind = Kind(rawValue: String(decoding: name, as: UTF8.self))
        else { return nil }
        return (kind, value)
    }

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

    /// As `size` has it; `nil` for types that have none.
    var size: Value? {
        let count: Int
        switch self {
        case .string(let bytes), .binary(let bytes): count = bytes.count
        case .stringSet(let set), .numberSet(let set), .binarySet(let set): count = set.count
        case .list(let elements): count = elements.count
        case .map(let members): count = members.count
        case .number, .bool, .null: return nil
        }
        return .number(Array(String(count).utf8))
    }

    /// Whether it comes before `other`; `nil` where the two have no order: values of two types, or of one without.
    func precedes(_ other: Value) -> Bool? {
        switch (self, other) {
        case (.string(let one), .string(let other)), (.binary(let one), .binary(let other)):
            one.lexicographicallyPrecedes(other)
        case (.number(let one), .number(let other)): CanonicalNumber.precedes(one, other)
        default: nil
        }
    }

    func begins(with start: Value) -> Bool {
        switch (self, start) {
        case (.string(let bytes), .string(let start)), (.binary(let bytes), .binary(let start)):
            bytes.starts(with: start)
        default: false
        }
    }

    func contains(_ part: Value) -> Bool {
        switch (self, part) {
        case (.string(let bytes), .string(let part)), (.binary(let bytes), .binary(let part)):
            Self.contains(bytes, part)
        case (.stringSet(let set), .string(let element)), (.numberSet(let set), .number(let element)),
            (.binarySet(let set), .binary(let element)):
            set.contains(element)
        case (.list(let elements), _): elements.contains(part)
        default: false
        }
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first else { return true }
        guard part.count <= bytes.count else { return false }
        return (0...bytes.count - part.count).contains {
            bytes[$0] == first && bytes[$0..<$0 + part.count].elementsEqual(part)
        }
    }

    private static func number(_ json: JSONView) -> [UInt8]? { json.string.flatMap { CanonicalNumber.make($0) } }

    private static func binary(_ json: JSONView) -> [UInt8]? {
        json.string.flatMap { Data(base64Encoded: Data($0)) }.map { Array($0) }
    }

    private static func set(_ json: JSONView, _ element: (JSONView) -> [UInt8]?) -> Set<[UInt8]>? {
        array(json, element).map { Set($0) }
    }

    private static func array<Element>(_ json: JSONView, _ element: (JSONView) -> Element?) -> [Element]? {
        var elements: [Element] = []
        let isRead = json.elements { json in
            guard let element = element(json) else { return false }
            elements.append(element)
            return true
        }
        return isRead ? elements : nil
    }
}
