internal import FoundationEssentials
internal import MongoC
internal import Simdjson

/// Makes items, as DynamoDB's JSON, of documents.
struct DocumentReader: Sendable {
    private let format: DocumentFormat
    private let names: FieldNames

    init(_ format: DocumentFormat) {
        self.format = format
        names = format.names
    }

    /// - Throws: for a document that this format can't have made.
    func item(of document: Document) throws(FormatError) -> [UInt8] {
        var json = JSONText()
        try members(document, isTop: true, to: &json)
        return json.bytes
    }

    private func members(_ document: Document, isTop: Bool, to json: inout JSONText) throws(FormatError) {
        json.begin("{")
        for element in document {
            guard let name = try names.name(element.name, isTop: isTop), !isLost(element.value) else { continue }
            json.member(name)
            do throws(FormatError) {
                if format.layout.hasTypes {
                    try typed(element.value, to: &json)
                } else {
                    try untyped(element.value, to: &json)
                }
            } catch {
                throw error.below(element.name)
            }
        }
        json.end("}")
    }

    /// `{}` is what NimoShake's `raw` makes of an empty list, map, set or binary. Which of them it was nobody knows: left out, it differs from
    /// each, so that a comparison finds it.
    private func isLost(_ value: BSONValue) -> Bool {
        guard format.layout == .raw, case .document(let document) = value else { return false }
        return document.isEmpty
    }

    // MARK: With types

    private func typed(_ value: BSONValue, to json: inout JSONText) throws(FormatError) {
        guard case .document(let document) = value else { throw Self.foreign("has no type beside its value") }
        var elements = document.makeIterator()
        guard let element = elements.next(), elements.next() == nil, let kind = ItemTag.kind(element.name) else {
            throw Self.foreign("is not one value with one of DynamoDB's types")
        }
        do throws(FormatError) { try typed(kind, element.value, to: &json) } catch { throw error.below(element.name) }
    }

    private func typed(_ kind: ItemToken.Kind, _ value: BSONValue, to json: inout JSONText) throws(FormatError) {
        switch (kind, value) {
        case (.string, .string(let text)): json.scalar("S", text)
        case (.number, _):
            guard let number = NumberForm.text(of: value) else { throw Self.foreign("is no number") }
            json.scalar("N", number)
        case (.binary, .binary(let bytes, subtype: _)): json.scalar("B", base64: bytes)
        case (.bool, .bool(let isTrue)): json.literal("BOOL", isTrue)
        case (.null, .bool(true)): json.literal("NULL", true)
        case (.stringSet, .array(let elements)), (.numberSet, .array(let elements)), (.binarySet, .array(let elements)):
            try set(kind, elements, to: &json)
        case (.list, .array(let elements)):
            try list(elements, to: &json) { value, json throws(FormatError) in try typed(value, to: &json) }
        case (.map, .document(let document)):
            json.begin("{")
            json.member(ItemTag.name(.map))
            try members(document, isTop: false, to: &json)
            json.end("}")
        default: throw Self.foreign("has a value that is not of that type")
        }
    }

    private func set(_ kind: ItemToken.Kind, _ elements: Document, to json: inout JSONText) throws(FormatError) {
        json.begin("{")
        json.member(ItemTag.name(kind))
        json.begin("[")
        for (index, element) in elements.enumerated() {
            json.element()
            switch (kind, element.value) {
            case (.stringSet, .string(let text)): json.string(text)
            case (.binarySet, .binary(let bytes, subtype: _)): json.base64(bytes)
            case (.numberSet, let value):
                guard let number = NumberForm.text(of: value) else {
                    throw Self.foreign("is no number").below(element: index)
                }
                json.string(number)
            default: throw Self.foreign("is no element of such a set").below(element: index)
            }
        }
        json.end("]")
        json.end("}")
    }

    // MARK: Without

    private func untyped(_ value: BSONValue, to json: inout JSONText) throws(FormatError) {
        switch value {
        case .string(let text): json.scalar("S", text)
        case .int32, .int64, .double, .decimal128:
            guard let number = NumberForm.text(of: value) else {
                throw Self.foreign("is no number that DynamoDB can hold")
            }
            json.scalar("N", number)
        case .binary(let bytes, subtype: _): json.scalar("B", base64: bytes)
        case .bool(let isTrue): json.literal("BOOL", isTrue)
        case .null: json.literal("NULL", true)
        case .array(let elements):
            try list(elements, to: &json) { value, json throws(FormatError) in try untyped(value, to: &json) }
        case .document(let document):
            json.begin("{")
            json.member(ItemTag.name(.map))
            try members(document, isTop: false, to: &json)
            json.end("}")
        case .objectID, .date, .timestamp, .other:
            throw Self.foreign("is of a type that no attribute of DynamoDB's has")
        }
    }

    private func list(
        _ elements: Document, to json: inout JSONText,
        _ write: (BSONValue, inout JSONText) throws(FormatError) -> Void
    ) throws(FormatError) {
        json.begin("{")
        json.member(ItemTag.name(.list))
        json.begin("[")
        for (index, element) in elements.enumerated() where !isLost(element.value) {
            json.element()
            do throws(FormatError) { try write(element.value, &json) } catch { throw error.below(element: index) }
        }
        json.end("]")
        json.end("}")
    }

    private static func foreign(_ problem: String) -> FormatError { .foreign(field: "", problem: problem) }
}

/// JSON that is being written: it puts the commas.
private struct JSONText {
    private(set) var bytes: [UInt8] = []
    private var isFirst = true

    private static let digits = Array("0123456789abcdef".utf8)
    private static let quote = UInt8(ascii: "\"")

    mutating func begin(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        isFirst = true
    }

    mutating func end(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        isFirst = false
    }

    mutating func element() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    mutating func member(_ name: [UInt8]) {
        element()
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// RFC 8259, 7.
    mutating func string(_ text: [UInt8]) {
        bytes.append(Self.quote)
        for byte in text {
            switch byte {
            case Self.quote, UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes += Array("\\u00".utf8)
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(Self.quote)
    }

    mutating func base64(_ value: [UInt8]) { string(Array(Data(value).base64EncodedString().utf8)) }

    mutating func scalar(_ type: String, _ text: [UInt8]) {
        bytes += Array("{\"\(type)\":".utf8)
        string(text)
        bytes.append(UInt8(ascii: "}"))
    }

    mutating func scalar(_ type: String, base64 value: [UInt8]) {
        bytes += Array("{\"\(type)\":".utf8)
        base64(value)
        bytes.append(UInt8(ascii: "}"))
    }

    mutating func literal(_ type: String, _ isTrue: Bool) { bytes += Array("{\"\(type)\":\(isTrue)}".utf8) }
}
