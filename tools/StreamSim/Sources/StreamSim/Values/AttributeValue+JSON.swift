/// The wire form as a tree, where it is part of a larger reply.
extension AttributeValue {
    var json: JSON {
        var bytes: [UInt8] = []
        switch self {
        case .list(let elements): return ["L": .array(elements.map(\.json))]
        case .map(let attributes): return ["M": attributes.json]
        case .string(let text): return ["S": .string(text)]
        case .bool(let value): return ["BOOL": .bool(value)]
        case .null: return ["NULL": true]
        case .number(let number): return ["N": .string(number.text)]
        case .stringSet(let texts): return ["SS": .array(texts.map { .string($0) })]
        case .numberSet(let numbers): return ["NS": .array(numbers.map { .string($0.text) })]
        case .binary, .binarySet: write(into: &bytes)
        }
        do throws(JSONError) { return try JSON(parsing: bytes) } catch {
            preconditionFailure("a value wrote what it can't read: \(error)")
        }
    }
}

extension Attributes {
    var json: JSON { .object(map { JSON.Member($0.name, $0.value.json) }) }
}
