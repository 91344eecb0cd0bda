import DynamoDB
import Logging
import StreamModel
import Synchronization
import Testing

@testable import shakectl

@Suite("Trouble with the source")
struct SourceTroubleTests {
    @Test("The first failure is said at once, and a storm of them is one line every few seconds")
    func storm() {
        let lines = Lines()
        let clock = ManualTime(Sample.now)
        let trouble = SourceTrouble(lines.logger, now: { clock.time })
        for _ in 1...1000 { trouble.note(.cancelled, again: .milliseconds(300)) }
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.contains("a call to the source failed; it is tried again") == true)
        #expect(lines.all.first?.contains("in=\"0.3 s\"") == true)
        clock.advance(.seconds(6))
        trouble.note(.cancelled, again: .seconds(1))
        #expect(lines.all.count == 2)
        #expect(lines.all.last?.contains("others_since=999") == true)
    }

    @Test("A pause of less than a tenth of a second is one")
    func short() {
        let lines = Lines()
        SourceTrouble(lines.logger, now: { Sample.now }).note(.cancelled, again: .milliseconds(36))
        #expect(lines.all.first?.contains("in=\"36 ms\"") == true)
    }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        var logger: Logger {
            Logger(label: "test") { _ in
                ConsoleLogHandler(level: .info, format: .text, palette: .plain) { [self] line in
                    lines.withLock { $0.append(line) }
                }
            }
        }
    }

    private final class ManualTime: Sendable {
        private let now: Mutex<Timestamp>
        init(_ time: Timestamp) { now = Mutex(time) }
        var time: Timestamp { now.withLock { $0 } }
        func advance(_ duration: Duration) { now.withLock { $0 = $0 + duration } }
    }
}
