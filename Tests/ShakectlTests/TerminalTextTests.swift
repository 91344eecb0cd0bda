import Testing

@testable import shakectl

@Suite("Texts on a terminal")
struct TerminalTextTests {
    @Test(
        "Columns are counted, not letters",
        arguments: [
            ("", 0), ("orders", 6), ("größe", 5), ("日本", 4), ("e\u{301}", 1), ("🚀", 2), ("\u{FFFD}", 1), ("▁█", 2),
        ])
    func width(text: String, columns: Int) { #expect(TerminalText.width(text) == columns) }

    @Test("Nothing that is cut is wider than it may be, and what is missing is marked")
    func clipped() {
        #expect(TerminalText.clipped("orders", to: 6) == "orders")
        #expect(TerminalText.clipped("orders", to: 5) == "orde…")
        #expect(TerminalText.clipped("日本語", to: 4) == "日…")
        #expect(TerminalText.clipped("orders", to: 1, ellipsis: "~") == "~")
        #expect(TerminalText.clipped("orders", to: 0) == "")
        for width in 0...8 { #expect(TerminalText.width(TerminalText.clipped("ab日本cd", to: width)) <= width) }
    }

    @Test("A text is folded at its spaces, and a word that is too long within")
    func folded() {
        #expect(TerminalText.folded("the shards were listed", to: 10) == ["the shards", "were", "listed"])
        #expect(TerminalText.folded("shardId-123 is lost", to: 6) == ["shardI", "d-123", "is", "lost"])
        #expect(TerminalText.folded("", to: 6) == [])
        #expect(TerminalText.folded("日", to: 1) == ["日"], "a sign that is wider than all there is ends nobody")
    }

    @Test("What would speak to the terminal is shown as what it is not")
    func printable() {
        #expect(TerminalText.printable("a\u{1B}[2Jb\nc") == "a\u{FFFD}[2Jb\u{FFFD}c")
        #expect(TerminalText.printable("a\u{202E}b") == "a\u{FFFD}b")
        #expect(TerminalText.printable("größe 日本") == "größe 日本")
    }

    @Test("Bars stand for shares of the most, and anything is more than nothing")
    func bars() {
        #expect(Glyphs.unicode.bars([0, 1, 50, 100], floor: 1) == "▁▂▅█")
        #expect(Glyphs.unicode.bars([0.1, nil, 0], floor: 1) == "▂ ▁")
        #expect(Glyphs.unicode.bars([], floor: 1) == "")
        #expect(Glyphs.ascii.bars([0, 1, 100], floor: 1) == "_.#")
    }

    @Test(
        "Signs beyond ASCII are drawn where the locale has them",
        arguments: [
            (["LANG": "de_DE.UTF-8"], true), (["LANG": "C.utf8"], true), (["LANG": "C"], false), ([:], false),
            (["LC_ALL": "C", "LANG": "de_DE.UTF-8"], false), (["LC_ALL": "", "LC_CTYPE": "C.UTF-8"], true),
        ])
    func locale(environment: [String: String], isUnicode: Bool) {
        #expect(Glyphs(environment: environment) == (isUnicode ? .unicode : .ascii))
    }
}
