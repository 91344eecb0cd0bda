import Testing

@testable import PostgresTarget

@Suite("Text with U+0000, which PostgreSQL can't hold")
struct ItemTextTests {
    @Test(
        "is escaped in JSON and comes back, and an escaped backslash before it is none",
        arguments: [
            (#"{"a":"\u0000"}"#, #"{"a":"\u001a0"}"#), (#"{"a":"\u001A0"}"#, #"{"a":"\u001a10"}"#),
            (#"{"\u0000":"x"}"#, #"{"\u001a0":"x"}"#), (#"{"a":"\\\u0000"}"#, #"{"a":"\\\u001a0"}"#),
            (#"{"a":"\u0000\u0000\u001a"}"#, #"{"a":"\u001a0\u001a0\u001a1"}"#),
        ])
    func json(json: String, stored: String) throws {
        let written = try #require(ItemText.escaped(json: Array(json.utf8)[...]))
        #expect(String(decoding: written, as: UTF8.self) == stored)
        let back = String(decoding: ItemText.unescaped(json: written), as: UTF8.self)
        #expect(back.lowercased() == json.lowercased())
    }

    @Test(
        "is not found where there is none, and the text is left as it is",
        arguments: [#"{"a":"b"}"#, #"{"a":"\\u0000"}"#, #"{"a":"\u00e9\n\\"}"#, #"{"a":"\\\\u001a"}"#, "{}"])
    func untouched(json: String) {
        #expect(ItemText.escaped(json: Array(json.utf8)[...]) == nil)
        #expect(ItemText.unescaped(json: Array(json.utf8)) == Array(json.utf8))
    }

    @Test(
        "is escaped in a key and comes back",
        arguments: ["", "a", "\u{0}", "\u{1A}", "\u{1A}0", "\u{1A}1", "\u{1A}\u{0}", "\u{0}\u{1A}\u{1A}01", "é\u{0}"])
    func key(text: String) {
        let stored = ItemText.escaped(Array(text.utf8))
        #expect(!stored.contains(0))
        #expect(ItemText.unescaped(stored) == Array(text.utf8))
    }

    @Test("is part of an item that lies in the middle of a body")
    func slice() {
        let body = Array(#"xx{"a":"\u0000"}yy"#.utf8)
        #expect(ItemText.escaped(json: body[2..<body.count - 2]) == Array(#"{"a":"\u001a0"}"#.utf8))
    }
}
