import Dispatcher
import StreamModel
import Testing

@Suite("Pacing of polls")
struct PollPacingTests {
    private func page(records: Int = 0, bytes: Int = 0, age: Duration? = .seconds(1)) -> PageFacts {
        PageFacts(records: records, bytes: bytes, age: records == 0 ? nil : age, last: nil, next: nil)
    }

    @Test("A full page is followed at once, by records or by bytes")
    func full() {
        var pacing = PollPacing(maximum: .seconds(1))
        #expect(pacing.delay(after: page(records: 1000)) == .zero)
        #expect(pacing.delay(after: page(records: 3, bytes: 600_000)) == .zero)
    }

    @Test("A page of old records is followed at once: there is more to catch up with")
    func behind() {
        var pacing = PollPacing(maximum: .seconds(1))
        #expect(pacing.delay(after: page(records: 1, age: .seconds(60))) == .zero)
        #expect(pacing.delay(after: page(records: 1, age: .seconds(1))) > .zero)
    }

    @Test("Empty pages back off to the maximum and no further, and a record ends it")
    func backsOff() {
        var pacing = PollPacing(maximum: .seconds(1))
        let waits = (0..<8).map { _ in pacing.delay(after: page()) }
        #expect(waits == waits.sorted())
        #expect(waits.first == PollPacing.first && waits.last == .seconds(1))
        _ = pacing.delay(after: page(records: 1))
        #expect(pacing.delay(after: page()) == PollPacing.first)
    }

    @Test("A maximum below the first wait is kept to")
    func small() {
        var pacing = PollPacing(maximum: .milliseconds(20))
        #expect((0..<4).allSatisfy { _ in pacing.delay(after: page()) == .milliseconds(20) })
    }
}
