import StreamSim
import TestSupport
import Testing

@Suite("JSON")
struct JSONTests {
    private static let texts: [(String, JSON)] = [
        ("null", JSON.null), (" \t\r\n true ", true), ("false", false), ("0", .number("0")), ("-0", .number("-0")),
        ("-12.50E+03", .number("-12.50E+03")), ("1e9", .number("1e9")), (#""""#, ""), ("[]", []), ("[ ]", []),
        ("{}", [:]), ("{ }", [:]), ("[1,\"a\",[null]]", [1, "a", [.null]]),
        (#"{"b":1,"a":{"b":2}}"#, ["b": 1, "a": ["b": 2]]), (#"{"":0}"#, ["": 0]),
        (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")), (#""\u0041\u00e9\u20AC\u0000""#, "Aé€\u{0}"),
        (#""\ud83d\uDE00\udbff\udfff""#, "😀\u{10FFFF}"), ("\"\u{7F}é😀\"", "\u{7F}é😀"), (#""x\ny""#, "x\ny"),
    ]

    @Test("What RFC 8259 allows is read", arguments: texts)
    func allowed(text: String, value: JSON) throws { #expect(try JSON.read(text) == value) }

    @Test(
        "What RFC 8259 does not allow is refused",
        arguments: [
            "", " ", "nul", "nulls", "True", "+1", "01", "-", "-a", "1.", ".5", "1.e5", "1e", "1e+", "0x10", "NaN",
            "Infinity", "[1,]", "[,1]", "[1 2]", "[", "]", "[1", "{", "{]", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#,
            #"{a:1}"#, #"{1:1}"#, #"{"a":1 "b":2}"#, #"{"a" 1}"#, "'a'", "\"", "\"a", "\"\n\"", "\"\u{0}\"", #""\x""#,
            #""\"#, #""\u""#, #""\u12""#, #""\u123g""#, #""\ud800""#, #""\ud800x""#, #""\ud800\n""#, #""\ud800\u0041""#,
            #""\udc00""#, "1 1", "null,", "// a\n1", "\u{FEFF}1", "{} x", "\u{A0}1",
        ])
    func refused(text: String) { #expect(throws: JSONError.self) { try JSON.read(text) } }

    @Test("Bytes that are not UTF-8 are refused")
    func encoding() {
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xED, 0xA0, 0x80, 0x22]) }
    }

    @Test("A name that stands twice in an object is refused, in small objects and in large ones")
    func duplicates() throws {
        #expect(throws: JSONError.self) { try JSON.read(#"{"a":1,"b":2,"a":1}"#) }
        #expect(throws: JSONError.self) { try JSON.read(#"{"a":1,"\u0061":1}"#) }
        _ = try JSON.read("{\"é\":1,\"e\u{301}\":1}")
        let members = (0..<100).map { "\"\($0)\":\($0)" }.joined(separator: ",")
        #expect(try JSON.read("{\(members)}").members?.count == 100)
        for again in [0, 15, 16, 99] {
            #expect(throws: JSONError.self) { try JSON.read("{\(members),\"\(again)\":1}") }
        }
    }

    @Test("128 levels are read, and no more")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        _ = try JSON.read(nested(128))
        #expect(throws: JSONError.self) { try JSON.read(nested(129)) }
        #expect(throws: JSONError.self) { try JSON.read(String(repeating: "{\"a\":", count: 1_000_000)) }
        _ = try JSON.read("[" + Array(repeating: nested(127), count: 3).joined(separator: ",") + "]")
    }

    @Test("An error tells the place")
    func place() {
        do {
            _ = try JSON.read(#"{"a":tru}"#)
        } catch {
            #expect(error.offset == 8)
        }
    }

    @Test("It is written without spaces, and only what must be escaped is")
    func written() {
        let value: JSON = [
            "s": "a\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}é", "n": -5, "b": true, "z": .null, "a": [1, [], [:]],
            "t": .string(Text("x")), "i": .integer(7),
        ]
        #expect(
            value.written
                == #"{"s":"a\"\\/\b\f\n\r\t\u0000\u001f\#u{7F}é","n":-5,"b":true,"#
                + #""z":null,"a":[1,[],{}],"t":"x","i":7}"#
        )
    }

    @Test(
        "A whole number is one, however it is written",
        arguments: [
            ("0", 0), ("-0", 0), ("12", 12), ("1e2", 100), ("100.0", 100), ("-5", -5),
            ("9223372036854775807", Int64.max), ("-9223372036854775808", .min),
            ("9223372036854775808", nil), ("1.5", nil), ("1e300", nil), ("1e19", nil), ("-9223372036854775809", nil),
        ])
    func integers(text: String, value: Int64?) throws { #expect(try JSON.read(text).integer == value) }

    @Test("A member is found by its name, and nothing in what is no object")
    func members() throws {
        let value = try JSON.read(#"{"a":1,"b":[true]}"#)
        #expect(value["a"]?.integer == 1)
        #expect(value["b"]?.elements?.first?.isTrue == true)
        #expect(value["c"] == nil)
        #expect(value["a"]?["a"] == nil)
        #expect(value.text == nil)
    }

    @Test("What is written is read again as it was", arguments: Seeds.all)
    func roundTrip(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        for _ in 0..<500 {
            let value = values.json()
            #expect(try JSON(parsing: value.bytes) == value, "SHAKE_SEED=\(seed)")
        }
    }

    @Test("No bytes trap", arguments: Seeds.all)
    func damage(seed: UInt64) {
        var values = RandomValues(seed: seed)
        let letters = Array(#"{}[]",:\ue019.-+tfn "#.utf8) + [0x00, 0x80, 0xC3, 0xFF]
        for _ in 0..<2000 {
            var bytes =
                values.below(2) == 0 ? values.json().bytes : (0..<values.below(12)).map { _ in values.pick(letters) }
            for _ in 0..<values.below(3) where !bytes.isEmpty {
                switch values.below(3) {
                case 0: bytes[values.below(bytes.count)] = values.pick(letters)
                case 1: bytes.remove(at: values.below(bytes.count))
                default: bytes.removeLast(values.below(bytes.count))
                }
            }
            // What is taken all the same is written as the same again.
            guard let value = try? JSON(parsing: bytes) else { continue }
            #expect((try? JSON(parsing: value.bytes)) == value, "SHAKE_SEED=\(seed)")
        }
    }
}
