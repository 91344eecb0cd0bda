import ArgumentParser
import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("A time as an operator says it")
struct MomentTests {
    @Test(
        "It is a time in UTC or with a zone, or how long ago",
        arguments: [
            ("2026-11-23T16:00", "2026-11-23T16:00:00Z"), ("2026-11-23 17:00:00+01:00", "2026-11-23T16:00:00Z"),
            ("2026-11-23", "2026-11-23T00:00:00Z"), ("15m", "2026-11-23T16:15:00Z"), ("2h", "2026-11-23T14:30:00Z"),
            ("1d", "2026-11-22T16:30:00Z"), ("1795449600", "2026-11-23T16:00:00Z"),
        ])
    func understood(text: String, time: String) {
        #expect(Moment(argument: text)?.timestamp(now: Sample.now) == Sample.time(time))
    }

    @Test(
        "Anything else is refused, a bare small number too", arguments: ["", "now", "15", "-5m", "2026-13-01", "12:00"])
    func refused(text: String) {
        #expect(Moment(argument: text) == nil)
    }

    @Test("For --at, digits are a position and all else a time")
    func instants() {
        #expect(Instant(argument: "812") == .position(Position(812)))
        #expect(Instant(argument: "15m") == .moment(.ago(.seconds(900))))
        #expect(Instant(argument: "yesterday") == nil)
    }
}
