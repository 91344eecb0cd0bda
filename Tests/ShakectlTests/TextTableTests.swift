import Testing

@testable import shakectl

@Suite("Rows under headings")
struct TextTableTests {
    private var table: TextTable {
        var table = TextTable([.init("NAME"), .init("COUNT", .right), .init("WHAT")])
        table.rows = [
            .cells([.init("a", .green), .init("1"), .init("first")]), .note(.init("a note", .dim)),
            .cells([.init("longer"), .init("1,000"), .init("")]),
        ]
        return table
    }

    @Test("Columns are as wide as their widest cell, and nothing follows a row's last")
    func aligned() {
        #expect(
            table.lines(.plain) == [
                "NAME    COUNT  WHAT",
                "a           1  first",
                "  a note",
                "longer  1,000",
            ])
    }

    @Test("Colours cost no width")
    func coloured() {
        let lines = table.lines(Palette(isOn: true))
        #expect(lines[1] == "\u{1B}[32ma\u{1B}[0m           1  first")
        #expect(lines[2] == "  \u{1B}[2ma note\u{1B}[0m")
    }

    @Test("NO_COLOR and a dumb terminal want none, nor does a pipe")
    func palette() {
        #expect(!Palette(descriptor: -1, environment: ["TERM": "xterm"]).isOn)
        #expect(Palette.plain.paint("x", .red) == "x")
    }
}
