/// The wire form as a tree, where it is part of a larger reply.
extension AttributeValue {
    var json: JSON {
        switch self {
        case .string(let text): ["S": .string(text)]
        case .number(let number): ["N": .string(number.text)]
        case .binary(let bytes): ["B": .string(Base64.text(bytes))]
        case .bool(let value): ["BOOL": .bool(value)]
        case .null: ["NULL": true]
        case .stringSet(let texts): ["SS": .array(texts.map { .string($0) })]
        case .numberSet(let numbers): ["NS": .array(numbers.map { .string($0.text) })]
        case .binarySet(let values): ["BS": .array(values.map { .string(Base64.text($0)) })]
        case .list(let elements): ["L": .array(elements.map(\.json))]
        case .map(let attributes): ["M": attributes.json]
        }
    }
}

extension Attributes {
    var json: JSON { .object(map { JSON.Member($0.name, $0.value.json) }) }
}
