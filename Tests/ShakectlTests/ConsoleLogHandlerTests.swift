import Logging
import StreamModel
import Synchronization
import Testing

@testable import shakectl

@Suite("Log lines")
struct ConsoleLogHandlerTests {
    /// What a logger of `format` writes while `body` uses it.
    private func written(
        _ format: LogFormat, level: Logger.Level = .info, palette: Palette = .plain, _ body: (inout Logger) -> Void
    ) -> [String] {
        let lines = Lines()
        var logger = Logger(label: "test") { _ in
            ConsoleLogHandler(
                level: level, format: format, palette: palette, write: { lines.add($0) }, now: { Sample.now })
        }
        body(&logger)
        return lines.all
    }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    @Test("Text is time, level, message and facts by name")
    func text() {
        let lines = written(.text) { logger in
            logger[metadataKey: "table"] = "orders"
            logger.info("following", metadata: ["shards": "4", "why": "two words", "empty": ""])
        }
        #expect(
            lines == [
                #"2026-11-23 16:30:00.000Z info    following empty="" shards=4 table=orders why="two words""#
            ])
    }

    @Test("A message of several lines stays one line")
    func oneLine() {
        let lines = written(.text) { $0.error("first\nsecond", metadata: ["a": "x\ny"]) }
        #expect(lines == [#"2026-11-23 16:30:00.000Z error   first second a="x\ny""#])
    }

    @Test("JSON is one object a line, and a fact hides nothing")
    func json() {
        let lines = written(.json) { $0.warning("slow \"down\"", metadata: ["table": "orders", "level": "mine"]) }
        #expect(
            lines == [
                #"{"time":"2026-11-23T16:30:00Z","level":"warning","message":"slow \"down\"","level_":"mine","table":"orders"}"#
            ])
    }

    @Test("What is below the level is not written")
    func level() {
        #expect(written(.text, level: .warning) { $0.info("quiet") }.isEmpty)
    }

    @Test("Colours are for a terminal")
    func colour() {
        let lines = written(.text, palette: Palette(isOn: true)) { $0.error("x") }
        #expect(lines[0].contains("\u{1B}[31merror  \u{1B}[0m"))
    }
}
