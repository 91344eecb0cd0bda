extension AttributeValue {
    /// From the wire form: `{"S": "…"}`, with exactly one member.
    ///
    /// - Throws: `ValidationException`, or `SerializationException` for another JSON type than the API's.
    package init(_ json: JSON) throws(ServiceError) { try self.init(json, depth: 0) }

    /// `depth`: how many lists and maps it lies in.
    init(_ json: JSON, depth: Int) throws(ServiceError) {
        guard case .object(let members) = json else {
            throw .serialization("Unexpected value type in payload")
        }
        var kind: Kind?
        var value = JSON.null
        // A null is as good as nothing, and so is a name that the API does not know.
        for member in members where !member.value.isNull {
            guard let found = Kind(member.name) else { continue }
            guard kind == nil else {
                throw .validation(
                    "Supplied AttributeValue has more than one datatypes set, "
                        + "must contain exactly one of the supported datatypes")
            }
            (kind, value) = (found, member.value)
        }
        guard let kind else {
            throw .validation(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
        }
        switch kind {
        case .string: self = .string(try Self.text(value))
        case .number: self = .number(try DynamoNumber(parsing: Self.text(value)))
        case .binary: self = .binary(try Self.binary(value))
        case .bool: self = .bool(try Self.bool(value))
        case .null:
            guard try Self.bool(value) else { throw .invalid("Null attribute value types must have the value of true") }
            self = .null
        case .stringSet:
            let texts = try Self.elements(value, Self.text)
            guard !texts.isEmpty else { throw .invalid("An string set  may not be empty") }
            self = .set(texts)
            guard case .stringSet(let once) = self, once.count == texts.count else {
                throw .invalid("Input collection \(Self.listing(texts)) contains duplicates.")
            }
        case .numberSet:
            let numbers = try Self.elements(value) { json throws(ServiceError) in
                try DynamoNumber(parsing: Self.text(json))
            }
            guard !numbers.isEmpty else { throw .invalid("An number set  may not be empty") }
            self = .set(numbers)
            guard case .numberSet(let once) = self, once.count == numbers.count else {
                throw .validation("Input collection contains duplicates")
            }
        case .binarySet:
            let values = try Self.elements(value, Self.binary)
            guard !values.isEmpty else { throw .invalid("Binary sets should not be empty") }
            self = .set(values)
            guard case .binarySet(let once) = self, once.count == values.count else {
                let texts = try Self.elements(value, Self.text)
                throw .invalid("Input collection \(Self.listing(texts))of type BS contains duplicates.")
            }
        case .list:
            try Self.checkDepth(depth + 1)
            self = .list(
                try Self.elements(value) { json throws(ServiceError) in try AttributeValue(json, depth: depth + 1) })
        case .map:
            try Self.checkDepth(depth + 1)
            self = .map(try Attributes(value, depth: depth + 1))
        }
    }

    static func checkDepth(_ depth: Int) throws(ServiceError) {
        guard depth <= deepest else {
            throw .validation(
                "Nesting Levels have exceeded supported limits: "
                    + "Attributes in the item have nested levels beyond supported limit")
        }
    }

    private static func text(_ json: JSON) throws(ServiceError) -> Text {
        switch json {
        case .string(let text): return text
        case .bool(let value): throw .serialization("\(value ? "TRUE" : "FALSE")_VALUE cannot be converted to String")
        case .number(let text):
            let isWhole = text.bytes.allSatisfy { $0 == UInt8(ascii: "-") || $0 &- UInt8(ascii: "0") < 10 }
            throw .serialization("\(isWhole ? "NUMBER" : "DECIMAL")_VALUE cannot be converted to String")
        case .array: throw .serialization("Unrecognized collection type class java.lang.String")
        case .object, .null: throw .serialization("Start of structure or map found where not expected")
        }
    }

    private static func bool(_ json: JSON) throws(ServiceError) -> Bool {
        guard case .bool(let value) = json else { throw .serialization("Unexpected token received from parser") }
        return value
    }

    private static func binary(_ json: JSON) throws(ServiceError) -> [UInt8] {
        guard case .string(let text) = json else {
            throw .serialization("only base-64-encoded strings are convertible to bytes")
        }
        return try Base64.bytes(text)
    }

    private static func elements<Element>(
        _ json: JSON, _ element: (JSON) throws(ServiceError) -> Element
    ) throws(ServiceError) -> [Element] {
        guard case .array(let elements) = json else { throw .serialization("Unexpected field type") }
        var result: [Element] = []
        result.reserveCapacity(elements.count)
        for json in elements { result.append(try element(json)) }
        return result
    }

    private static func listing(_ texts: [Text]) -> String {
        "[" + texts.map(\.string).joined(separator: ", ") + "]"
    }

    package func write(into bytes: inout [UInt8]) {
        switch self {
        case .string(let text):
            bytes.append(contentsOf: #"{"S":"#.utf8)
            JSON.write(text, into: &bytes)
        case .number(let number):
            bytes.append(contentsOf: #"{"N":"#.utf8)
            Self.write(number, into: &bytes)
        case .binary(let value):
            bytes.append(contentsOf: #"{"B":"#.utf8)
            Self.write(value, into: &bytes)
        case .bool(let value): bytes.append(contentsOf: (value ? #"{"BOOL":true"# : #"{"BOOL":false"#).utf8)
        case .null: bytes.append(contentsOf: #"{"NULL":true"#.utf8)
        case .stringSet(let texts): Self.write("SS", texts, into: &bytes) { JSON.write($0, into: &$1) }
        case .numberSet(let numbers): Self.write("NS", numbers, into: &bytes) { Self.write($0, into: &$1) }
        case .binarySet(let values): Self.write("BS", values, into: &bytes) { Self.write($0, into: &$1) }
        case .list(let elements): Self.write("L", elements, into: &bytes) { $0.write(into: &$1) }
        case .map(let attributes):
            bytes.append(contentsOf: #"{"M":"#.utf8)
            attributes.write(into: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private static func write<Element>(
        _ type: String, _ elements: [Element], into bytes: inout [UInt8],
        _ write: (Element, inout [UInt8]) -> Void
    ) {
        bytes.append(contentsOf: "{\"\(type)\":[".utf8)
        var isFirst = true
        for element in elements {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            write(element, &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private static func write(_ number: DynamoNumber, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        number.write(into: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    private static func write(_ value: [UInt8], into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        Base64.write(value, into: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }
}

extension AttributeValue.Kind {
    init?(_ name: Text) {
        let bytes = name.bytes
        switch bytes.count {
        case 1:
            switch bytes[0] {
            case UInt8(ascii: "S"): self = .string
            case UInt8(ascii: "N"): self = .number
            case UInt8(ascii: "B"): self = .binary
            case UInt8(ascii: "L"): self = .list
            case UInt8(ascii: "M"): self = .map
            default: return nil
            }
        case 2...4: self.init(rawValue: name.string)
        default: return nil
        }
    }
}
