import MongoC
import Simdjson
import StreamModel
import Targets
import TestSupport
import Testing

@testable import MongoDBTarget

/// What the tests of the formats share.
enum FormatSample {
    static let table = TableSchema("people", ("id", .string))
    static let key = CanonicalKey(hash: Array("a".utf8), range: nil)

    static let layouts = DocumentFormat.Layout.allCases

    static func document(
        _ item: String, _ format: DocumentFormat, table: TableSchema = table, key: CanonicalKey = key, stamp: WriteStamp? = nil
    ) throws -> Document {
        try document(Array(item.utf8), format, table: table, key: key, stamp: stamp)
    }

    static func document(
        _ item: [UInt8], _ format: DocumentFormat, table: TableSchema = table, key: CanonicalKey = key, stamp: WriteStamp? = nil
    ) throws -> Document {
        var maker = DocumentMaker(format, of: table)
        let place = ByteRange(offset: 0, count: UInt32(item.count))
        let document = try maker.document(of: place, in: item, key: key, stamp: stamp)
        // As a server would give it back.
        return try Document(document.bytes)
    }

    /// The item that a document is read as, by value.
    static func item(_ document: Document, _ format: DocumentFormat) throws -> [[UInt8]: AttributeValue] {
        try item(try DocumentReader(format).item(of: document))
    }

    static func item(_ json: [UInt8]) throws -> [[UInt8]: AttributeValue] {
        var reader = ItemReader()
        return try reader.item(json)
    }

    /// A document in MongoDB's Extended JSON.
    static func json(_ text: String) throws -> Document { try Document(extendedJSON: text) }
}

/// Items by chance, with all that DynamoDB's types allow.
struct RandomItem {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private static let names = [
        "a", "", "a.b", "$set", "_id", "pre_id", "%", "%25", "%70re_id", "50%", "nul\u{0}inside", "\u{E9}", "e\u{301}", "_shake", "_shakes",
        "$", ".", "..", "a$b", "N", "S", "M", "0", "_", "%5Fid", "a%2Eb", "\u{0}", "p", "pre", "pre_id.", "%pre_id",
    ]

    mutating func next() -> [[UInt8]: AttributeValue] { map(depth: 0) }

    private mutating func map(depth: Int) -> [[UInt8]: AttributeValue] {
        var members: [[UInt8]: AttributeValue] = [:]
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            let name = Self.names[Int.random(in: 0..<Self.names.count, using: &generator)]
            members[Array(name.utf8)] = value(depth: depth + 1)
        }
        return members
    }

    private mutating func value(depth: Int) -> AttributeValue {
        switch Int.random(in: 0..<(depth < 5 ? 10 : 8), using: &generator) {
        case 0: .string(text())
        case 1: .number(number())
        case 2: .binary(bytes())
        case 3: .bool(Bool.random(using: &generator))
        case 4: .null
        case 5: .stringSet(Set((0...Int.random(in: 0...3, using: &generator)).map { _ in text() }))
        case 6: .numberSet(Set((0...Int.random(in: 0...3, using: &generator)).map { _ in number() }))
        case 7: .binarySet(Set((0...Int.random(in: 0...3, using: &generator)).map { _ in bytes() }))
        case 8: .list((0..<Int.random(in: 0...3, using: &generator)).map { _ in value(depth: depth + 1) })
        default: .map(map(depth: depth))
        }
    }

    private mutating func text() -> [UInt8] {
        let texts = ["", "x", "\u{0}", "a\u{0}b", "\u{E9}", "e\u{301}", "\"\\\n\u{1F}", "\u{1F991}", "$a.b", "123"]
        return Array(texts[Int.random(in: 0..<texts.count, using: &generator)].utf8)
    }

    private mutating func bytes() -> [UInt8] {
        (0..<Int.random(in: 0...5, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    mutating func number() -> [UInt8] {
        let count = [1, 2, 5, 15, 16, 17, 18, 19, 33, 34, 35, 38][Int.random(in: 0..<12, using: &generator)]
        var text = (0..<count).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: break
        case 1: text.insert(".", at: text.index(text.startIndex, offsetBy: Int.random(in: 0..<count, using: &generator)))
        case 2: text += "E\(Int.random(in: -130...(125 - count), using: &generator))"
        default: text += String(repeating: "0", count: Int.random(in: 0...5, using: &generator))
        }
        if Bool.random(using: &generator) { text = "-" + text }
        // Below the least, or without a digit but zeros.
        return CanonicalNumber.make(Array(text.utf8)) ?? Array("0".utf8)
    }
}

/// An item as DynamoDB's JSON; the tests' own writer.
enum ItemJSON {
    static func of(_ item: [[UInt8]: AttributeValue]) -> [UInt8] {
        Array("{".utf8) + joined(item.map { string($0.key) + Array(":".utf8) + of($0.value) }) + Array("}".utf8)
    }

    private static func of(_ value: AttributeValue) -> [UInt8] {
        switch value {
        case .string(let text): tagged("S", string(text))
        case .number(let number): tagged("N", string(number))
        case .binary(let bytes): tagged("B", string(base64(bytes)))
        case .bool(let isTrue): tagged("BOOL", Array("\(isTrue)".utf8))
        case .null: tagged("NULL", Array("true".utf8))
        case .stringSet(let elements): tagged("SS", array(elements.map(string)))
        case .numberSet(let elements): tagged("NS", array(elements.map(string)))
        case .binarySet(let elements): tagged("BS", array(elements.map { string(base64($0)) }))
        case .list(let elements): tagged("L", array(elements.map(of)))
        case .map(let members): tagged("M", of(members))
        }
    }

    private static func tagged(_ tag: String, _ json: [UInt8]) -> [UInt8] {
        Array("{\"\(tag)\":".utf8) + json + Array("}".utf8)
    }

    private static func array(_ elements: [[UInt8]]) -> [UInt8] {
        Array("[".utf8) + joined(elements) + Array("]".utf8)
    }

    private static func joined(_ parts: [[UInt8]]) -> [UInt8] { Array(parts.joined(separator: Array(",".utf8))) }

    private static func string(_ text: [UInt8]) -> [UInt8] {
        let inner = text.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
            case 0..<0x20: Array("\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
            default: [byte]
            }
        }
        return Array("\"".utf8) + inner + Array("\"".utf8)
    }

    private static func base64(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = (0..<3).map { start + $0 < bytes.count ? UInt32(bytes[start + $0]) : 0 }
            let bits = group[0] << 16 | group[1] << 8 | group[2]
            for place in 0..<4 {
                let isFilled = start + place <= bytes.count
                text.append(isFilled ? digits[Int(bits >> (18 - 6 * UInt32(place)) & 63)] : UInt8(ascii: "="))
            }
        }
        return text
    }
}
