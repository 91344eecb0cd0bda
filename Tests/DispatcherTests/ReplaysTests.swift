import Dispatcher
import Journal
import StreamModel
import Testing

/// PEERS row 42: a shard that was read over and over, and nobody said so.
@Suite("Replays")
struct ReplaysTests {
    private static func place(_ number: Int?, _ type: IteratorType = .afterSequenceNumber) -> Replays.Place {
        Replays.Place(Sample.checkpoint(type: type, number: number.map(Sample.number)))
    }

    /// One more round, from after `number`.
    private static func round(
        _ replays: inout Replays, after number: Int? = 5, epoch: UInt64 = 1, isSetBack: Bool = false, minute: Int = 0
    ) -> Bool {
        replays.begins(
            at: place(number), Epoch(epoch), isSetBack: isSetBack, now: Sample.moment + .seconds(60 * minute))
        return replays.brought()
    }

    @Test("Three rounds from one place are nothing, the fourth is said, and no later one again")
    func fourth() {
        var replays = Replays()
        let said = (0..<7).map { Self.round(&replays, minute: $0) }
        #expect(said == [false, false, false, true, false, false, false])
        #expect(replays.sign == VitalSigns.Replay(since: Sample.moment, times: 7, from: "after 5"))
    }

    @Test("A round counts once, however many pages it brings, and not at all where it brings none")
    func pages() {
        var replays = Replays()
        for _ in 1...9 {
            replays.begins(at: Self.place(5), .first, isSetBack: false, now: Sample.moment)
        }
        let said = (1...9).map { _ in replays.brought() }
        #expect(!said.contains(true))
        #expect(replays.sign == nil)
    }

    @Test("What has passed is over: a later round begins a row of its own")
    func passed() {
        var replays = Replays()
        for _ in 1...4 { _ = Self.round(&replays) }
        #expect(replays.sign != nil)
        replays.passed()
        #expect(replays.sign == nil)
        let said = (0..<4).map { _ in Self.round(&replays) }
        #expect(said == [false, false, false, true], "it is said of each row")
    }

    @Test("Another place is another row")
    func place() {
        var replays = Replays()
        let said =
            (1...9).map { Self.round(&replays, after: $0) } + (1...3).map { _ in Self.round(&replays, after: nil) }
        #expect(!said.contains(true))
    }

    @Test(
        "An operator may rewind as often as he likes; what the daemon itself sets back goes on with its row",
        arguments: [false, true])
    func rewinds(isOwn: Bool) {
        var replays = Replays()
        var said = 0
        for epoch in 1...6 as ClosedRange<UInt64> {
            if Self.round(&replays, epoch: epoch, isSetBack: isOwn) { said += 1 }
            replays.passed()
        }
        #expect(said == (isOwn ? 1 : 0))
    }

    @Test(
        "A place is named as an operator would",
        arguments: [
            (5, .afterSequenceNumber, "after 5"), (5, .atSequenceNumber, "at 5"), (nil, .trimHorizon, "its start"),
            (5, .trimHorizon, "the oldest record left after 5"), (nil, .latest, "its anchor"),
        ] as [(Int?, IteratorType, String)])
    func names(number: Int?, type: IteratorType, name: String) {
        #expect(Self.place(number, type).description == name)
    }
}
