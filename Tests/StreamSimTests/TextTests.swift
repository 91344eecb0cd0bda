import StreamSim
import Testing

@Suite("Text")
struct TextTests {
    @Test("Texts that Swift takes for one stay two")
    func normalisation() {
        #expect("é" == "e\u{301}")
        #expect(Text("é") != Text("e\u{301}"))
        #expect(Set([Text("é"), Text("e\u{301}"), Text("é")]).count == 2)
    }

    @Test("The order is that of the bytes, the shorter one first")
    func order() {
        let texts: [Text] = ["", "A", "AA", "B", "a", "\u{7F}", "e\u{301}", "z", "é", "\u{FFFF}", "😀"]
        let sorted: [Text] = ["", "A", "AA", "B", "a", "e\u{301}", "z", "\u{7F}", "é", "\u{FFFF}", "😀"]
        #expect(texts.shuffled().sorted() == sorted)
        #expect(!(Text("a") < Text("a")))
    }

    @Test("Equal texts have equal hashes, whatever their length")
    func hashes() {
        let texts = (0..<40).map { Text(String(repeating: "x", count: $0)) }
        #expect(Set(texts).count == 40)
        #expect(Set(texts + texts).count == 40)
    }

    @Test(
        "What is not UTF-8 is refused",
        arguments: [
            [0x80], [0xC0, 0xAF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x61, 0xFF],
        ])
    func invalid(bytes: [UInt8]) { #expect(Text(utf8: bytes) == nil) }

    @Test("What is UTF-8 stays as it is")
    func valid() {
        #expect(Text(utf8: Array("e\u{301}😀".utf8))?.string.unicodeScalars.count == 3)
        #expect(Text(utf8: [])?.isEmpty == true)
    }
}
