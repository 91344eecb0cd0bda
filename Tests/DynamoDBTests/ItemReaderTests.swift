import StreamModel
import Testing

@testable import Simdjson

@Suite("Reading an item")
struct ItemReaderTests {
    private static func item(_ json: String) throws -> [[UInt8]: AttributeValue] {
        var reader = ItemReader()
        return try reader.item(Array(json.utf8))
    }

    private static func value(_ json: String) throws -> AttributeValue? { try item(#"{"a":\#(json)}"#)[Array("a".utf8)] }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("Every type is read for what it is")
    func types() throws {
        #expect(try Self.value(#"{"S":"é"}"#) == .string(Self.bytes("é")))
        #expect(try Self.value(#"{"S":""}"#) == .string([]))
        #expect(try Self.value(#"{"N":"1.50E+1"}"#) == .number(Self.bytes("15")))
        #expect(try Self.value(#"{"B":"AAH\/"}"#) == .binary([0, 1, 255]))
        #expect(try Self.value(#"{"BOOL":true}"#) == .bool(true))
        #expect(try Self.value(#"{"BOOL":false}"#) == .bool(false))
        #expect(try Self.value(#"{"NULL":true}"#) == .null)
        #expect(try Self.value(#"{"SS":["b","","a"]}"#) == .stringSet([[], Self.bytes("a"), Self.bytes("b")]))
        #expect(try Self.value(#"{"NS":["1.0","-2"]}"#) == .numberSet([Self.bytes("1"), Self.bytes("-2")]))
        #expect(try Self.value(#"{"BS":["","/w=="]}"#) == .binarySet([[], [255]]))
        #expect(try Self.value(#"{"L":[]}"#) == .list([]))
        #expect(try Self.value(#"{"M":{}}"#) == .map([:]))
        #expect(
            try Self.value(#" { "L" : [ { "M" : { "x" : { "L" : [ { "NULL" : true } ] } } } , { "S" : "y" } ] } "#)
                == .list([.map([Self.bytes("x"): .list([.null])]), .string(Self.bytes("y"))]))
        #expect(try Self.value(#"{"\u0053S":["x"]}"#) == .stringSet([Self.bytes("x")]))
        #expect(try Self.item("{}") == [:])
    }

    @Test(
        "JSON's escapes are undone, in names and in texts",
        arguments: [
            (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"), (#"\u0000a\u001F"#, "\0a\u{1F}"),
            (#"x\u00e9\u20AC\ud83e\uDD91z"#, "xé€🦑z"), (#"\u007f\u0080\u07ff\u0800\uffff"#, "\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}"),
            (#"\\u0041"#, "\\u0041"), (#"\udbff\udfff"#, "\u{10FFFF}"),
        ])
    func escapes(written: String, meant: String) throws {
        #expect(
            try Self.item(#"{"\#(written)":{"S":"\#(written)"}}"#) == [Self.bytes(meant): .string(Self.bytes(meant))])
    }

    @Test("Base64 of every length is decoded", arguments: 0...9)
    func base64(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 251) }
        let encoded = [
            "", "+w==", "+yA=", "+yBF", "+yBFag==", "+yBFao8=", "+yBFao+0", "+yBFao+02Q==", "+yBFao+02f4=", "+yBFao+02f4j",
        ]
        #expect(try Self.value(#"{"B":"\#(encoded[count])"}"#) == .binary(bytes))
    }

    @Test("A row of tokens says how far each reaches, so that who walks it can go past what lies below")
    func row() throws {
        let json = #"..{"a":{"L":[{"S":"x"},{"SS":["y","z"]}]},"b":{"M":{"c":{"N":"7.0"}}},"d":{"BOOL":true}}.."#
        var reader = ItemReader()
        let place = ByteRange(offset: 2, count: UInt32(json.utf8.count - 4))
        let rows = try reader.read(place, of: Array(json.utf8)) { tokens, texts in
            tokens.indices.map { place in
                let token = tokens[place]
                let (name, text) = (texts.bytes(token.name), texts.bytes(token.text))
                return "\(token.kind) \(token.children) \(token.size) "
                    + String(decoding: name, as: UTF8.self) + "=" + String(decoding: text, as: UTF8.self)
            }
        }
        #expect(
            rows == [
                "map 3 9 =", "list 2 5 a=", "string 0 1 =x", "stringSet 2 3 =", "string 0 1 =y", "string 0 1 =z",
                "map 1 2 b=", "number 0 1 c=7.0", "bool 0 1 d=",
            ])
    }

    @Test("Names that Swift's strings hold equal are different attributes")
    func twins() throws {
        let item = try Self.item("{\"\u{E9}\":{\"N\":\"1\"},\"e\u{301}\":{\"N\":\"2\"}}")
        #expect(item.count == 2)
    }

    @Test("Of attributes given twice the later holds, with all that lies below it", arguments: [3, 16, 17, 100])
    func twice(count: Int) throws {
        // Every third name comes again, at the top and within a map.
        let names = (0..<count).map { $0 % 3 == 2 ? "n\($0 - 2)" : "n\($0)" }
        let members = names.enumerated().map { #""\#($1)":{"L":[{"N":"\#($0)"},{"SS":["x","y"]}]}"# }.joined(separator: ",")
        let json = #"{"before":{"S":"x"},"m":{"M":{\#(members)}},\#(members),"after":{"S":"z"}}"#
        var expected: [[UInt8]: AttributeValue] = [:]
        for (index, name) in names.enumerated() {
            expected[Self.bytes(name)] = .list([
                .number(Self.bytes("\(index)")), .stringSet([Self.bytes("x"), Self.bytes("y")]),
            ])
        }
        var item = try Self.item(json)
        #expect(item.removeValue(forKey: Self.bytes("before")) == .string(Self.bytes("x")))
        #expect(item.removeValue(forKey: Self.bytes("after")) == .string(Self.bytes("z")))
        #expect(item.removeValue(forKey: Self.bytes("m")) == .map(expected))
        #expect(item == expected)
    }

    @Test(
        "What is no attribute value is refused, with where it is",
        arguments: [
            (#"{"a":{}}"#, "the attribute a has no type"),
            (#"{"a":{"S":"x","N":"1"}}"#, "the attribute a has more than one type"),
            (#"{"a":{"S":"x","S":"y"}}"#, "the attribute a has more than one type"),
            (#"{"a":{"s":"x"}}"#, "the attribute a has a type that is none of DynamoDB's"),
            (#"{"a":{"X":"x"}}"#, "the attribute a has a type that is none of DynamoDB's"),
            (#"{"a":"x"}"#, "the attribute a is no attribute value"),
            (#"{"a":null}"#, "the attribute a is no attribute value"),
            (#"{"a":{"N":1}}"#, "the attribute a has a text that is no string"),
            (#"{"a":{"S":null}}"#, "the attribute a has a text that is no string"),
            (#"{"a":{"BOOL":"true"}}"#, "the attribute a has a BOOL that is neither true nor false"),
            (#"{"a":{"NULL":false}}"#, "the attribute a has a NULL that is not true"),
            (#"{"a":{"B":"AA"}}"#, "the attribute a has a B that is not base64"),
            (#"{"a":{"B":"A==="}}"#, "the attribute a has a B that is not base64"),
            (#"{"a":{"B":"AA=A"}}"#, "the attribute a has a B that is not base64"),
            (#"{"a":{"B":"AA.A"}}"#, "the attribute a has a B that is not base64"),
            (#"{"a":{"SS":"x"}}"#, "the attribute a has a set or list that is no array"),
            (#"{"a":{"L":{}}}"#, "the attribute a has a set or list that is no array"),
            (#"{"a":{"M":[]}}"#, "the attribute a has an M that is no object"),
            (#"{"a":{"NS":["1",2]}}"#, "the attribute a[1] has a text that is no string"),
            (#"{"a":{"M":{"b":{"L":[{"NULL":true},{"M":{"c d":{"Q":1}}}]}}}}"#, "the attribute a.b[1].c d has a type that is none of DynamoDB's"),
            (#"{"a":{"S":"\ud83e"}}"#, "the attribute a is malformed JSON: half a surrogate pair"),
            (#"{"a":{"S":"\udd91"}}"#, "the attribute a is malformed JSON: half a surrogate pair"),
            (#"{"a":{"S":"\ud83e\u0041"}}"#, "the attribute a is malformed JSON: half a surrogate pair"),
            (#"{"a":{"S":"\x"}}"#, "the attribute a is malformed JSON: an unknown escape"),
            (#"{"a":{"S":"\u00g0"}}"#, "the attribute a is malformed JSON: an unknown escape"),
            (#"{"a":{"BOOL":trve}}"#, "the attribute a is malformed JSON: neither a number nor true, false or null"),
            (#"{"a":{"N":"1,5"}}"#, "the attribute a has 1,5, which is no number that DynamoDB can hold"),
            (#"["a"]"#, "malformed JSON near element 0: not an object"),
            (#"{"a":{"S":"x"}} {}"#, "malformed JSON near element 0: something follows the end of the JSON object"),
        ])
    func refused(json: String, said: String) {
        let error = #expect(throws: SimdjsonError.self) { try Self.item(json) }
        #expect(error?.description == said)
    }

    @Test("An item is nested as deep as DynamoDB lets it, and no stack is overrun by one that is nested deeper")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: #"{"L":["#, count: levels) + #"{"S":"x"}"# + String(repeating: "]}", count: levels)
        }
        #expect(throws: Never.self) { try Self.value(nested(32)) }
        for levels in [128, 1000, 100_000] {
            let error = #expect(throws: SimdjsonError.self) { try Self.value(nested(levels)) }
            #expect(error?.description.hasSuffix("is nested too deep") == true)
        }
    }

    @Test("An item that is cut off anywhere is refused, and nothing behind it is read")
    func cutOff() throws {
        let json = Array(#"{"a":{"S":"x\u00e9"},"b":{"L":[{"B":"AA=="},{"M":{"c":{"NS":["1"]}}}]},"d":{"BOOL":true}}"#.utf8)
        var reader = ItemReader()
        for count in 0..<json.count {
            let place = ByteRange(offset: 0, count: UInt32(count))
            #expect(throws: SimdjsonError.self, "\(count) bytes") { try reader.item(place, of: json) }
            #expect(throws: SimdjsonError.self, "\(count) bytes") { try reader.item(Array(json.prefix(count))) }
        }
        #expect(try reader.item(json).count == 3)
    }
}
