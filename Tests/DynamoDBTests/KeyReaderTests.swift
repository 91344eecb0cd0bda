import StreamModel
import Testing

@testable import Simdjson

@Suite("Reading an item's key")
struct KeyReaderTests {
    private static func key(
        _ object: String, hash: (String, ScalarType) = ("pk", .string), range: (String, ScalarType)? = nil,
        before: String = "", after: String = ""
    ) throws -> (key: ItemKey, raw: [String]) {
        var reader = KeyReader(
            TableSchema(
                name: TableName("t"), hash: KeyAttribute(name: Array(hash.0.utf8), type: hash.1),
                range: range.map { KeyAttribute(name: Array($0.0.utf8), type: $0.1) }))
        let body = Array((before + object + after).utf8)
        let place = ByteRange(offset: UInt32(before.utf8.count), count: UInt32(object.utf8.count))
        let key = try reader.key(in: place, of: body)
        let raws = [key.hash.raw, key.range?.raw].compactMap(\.self)
        return (key, raws.map { String(decoding: body[$0.range], as: UTF8.self) })
    }

    @Test("A string's escapes are undone; a number and base64 stay the text they are")
    func types() throws {
        let item =
            #"{"b":{"B":"AA+\/=="},"x":{"L":[{"pk":{"S":"no"}}]},"pk":{"S":"a\u00e9\"\n😀"},"n":{"N":"-1.50E+10"}}"#
        let (key, raw) = try Self.key(item, range: ("n", .number))
        #expect(key.hash.bytes == Array("aé\"\n😀".utf8) && key.hash.type == .string)
        #expect(key.range?.bytes == Array("-1.50E+10".utf8) && key.range?.type == .number)
        #expect(raw == [#"{"S":"a\u00e9\"\n😀"}"#, #"{"N":"-1.50E+10"}"#])
        #expect(try Self.key(item, hash: ("b", .binary)).key.hash.bytes == Array("AA+/==".utf8))
    }

    @Test("Hash and range come in either order, and the object may lie anywhere in the body")
    func places() throws {
        for item in [
            #"{"pk":{"S":"a"},"sk":{"N":"1"}}"#, #"{"sk":{"N":"1"},"pk":{"S":"a"}}"#,
            #"{ "sk" : { "N" : "1" } , "pk" : { "S" : "a" } }"#,
        ] {
            for (before, after) in [
                ("", ""), (#"{"Keys":"#, "}"), (String(repeating: " ", count: 100), String(repeating: "}", count: 100)),
                ("", "\"\"\"\""),
            ] {
                let (key, raw) = try Self.key(item, range: ("sk", .number), before: before, after: after)
                #expect(key.hash.bytes == Array("a".utf8) && key.range?.bytes == Array("1".utf8))
                #expect(raw.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") && $0.contains(":") })
            }
        }
    }

    @Test("Names that Swift's strings hold equal are different attributes")
    func names() throws {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        let item = "{\"\(decomposed)\":{\"S\":\"wrong\"},\"\(composed)\":{\"S\":\"right\"}}"
        #expect(try Self.key(item, hash: (composed, .string)).key.hash.bytes == Array("right".utf8))
        #expect(try Self.key(item, hash: (decomposed, .string)).key.hash.bytes == Array("wrong".utf8))
        #expect(
            try Self.key(#"{"\u0065\u0301":{"S":"x"},"\u00e9":{"S":"right"}}"#, hash: (composed, .string)).key.hash
                .bytes == Array("right".utf8))
        #expect(try Self.key(#"{"a\"b\\":{"S":"x"}}"#, hash: ("a\"b\\", .string)).key.hash.bytes == Array("x".utf8))
        #expect(
            try Self.key(#"{"p":{"S":"x"},"pkk":{"S":"x"},"pk":{"S":"right"}}"#).key.hash.bytes == Array("right".utf8))
    }

    @Test("Keys are equal by their bytes, wherever they lay")
    func equality() throws {
        let a = try Self.key(#"{"pk":{"S":"\u00e9"}}"#).key
        let b = try Self.key("{\"x\":{\"N\":\"1\"},\"pk\":{\"S\":\"\u{E9}\"}}").key
        let c = try Self.key("{\"pk\":{\"S\":\"e\u{301}\"}}").key
        #expect(a == b && a.hashValue == b.hashValue)
        #expect(a != c, "Swift's strings would be equal here")
        #expect(try Self.key(#"{"pk":{"N":"1"}}"#, hash: ("pk", .number)).key != Self.key(#"{"pk":{"S":"1"}}"#).key)
    }

    @Test("A key attribute that is missing, or of another type, is named")
    func wrong() throws {
        func error(_ item: String) throws -> SimdjsonError {
            try #require(throws: SimdjsonError.self) { try Self.key(item, range: ("sk", .number)) }
        }
        #expect(try error(#"{"sk":{"N":"1"}}"#) == .noKeyAttribute(name: "pk"))
        #expect(try error(#"{"pk":{"S":"a"}}"#) == .noKeyAttribute(name: "sk"))
        #expect(try error(#"{"pk":{"N":"1"},"sk":{"N":"1"}}"#) == .keyType(name: "pk", expected: "S"))
        #expect(try error(#"{"pk":{"S":"a"},"sk":{"S":"1"}}"#) == .keyType(name: "sk", expected: "N"))
        #expect(try error(#"{"pk":{"S":7},"sk":{"N":"1"}}"#) == .keyType(name: "pk", expected: "S"))
        #expect(try error(#"{"pk":{},"sk":{"N":"1"}}"#) == .keyType(name: "pk", expected: "S"))
        #expect(try error(#"{"pk":{"S":"a","N":"1"},"sk":{"N":"1"}}"#) == .keyType(name: "pk", expected: "S"))
        for malformed in ["", "{", "[]", "null", #"{"pk":"a","sk":{"N":"1"}}"#, #"{"pk":{"S":"a},"sk":{"N":"1"}}"#] {
            guard case .malformed = try error(malformed) else {
                Issue.record("\(malformed): \(try error(malformed))")
                continue
            }
        }
    }

    @Test("Half a surrogate pair is no text", arguments: [#"\ud800"#, #"\udc00"#, #"\ud800x"#, #"\ud800\u0041"#])
    func surrogates(text: String) {
        #expect(throws: SimdjsonError.self) { try Self.key(#"{"pk":{"S":"\#(text)"}}"#) }
    }

    @Test("The key of a 400 KB item is found at its end; one reader serves many items")
    func large() throws {
        var reader = KeyReader(
            TableSchema(name: TableName("t"), hash: KeyAttribute(name: Array("pk".utf8), type: .string), range: nil))
        for count in [400_000, 10, 100_000] {
            let item = #"{"v":{"S":"\#(String(repeating: "x", count: count))"},"pk":{"S":"\#(count)"}}"#
            let body = Sample.body(item)
            let key = try reader.key(in: ByteRange(offset: 0, count: UInt32(body.count)), of: body)
            #expect(key.hash.bytes == Array("\(count)".utf8))
        }
    }
}
