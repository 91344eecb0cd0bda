import Dispatcher
import Journal
import StreamModel
import Testing

@Suite("What is said of a pause")
struct KnownPauseTests {
    private static let noon = Timestamp("2026-11-23T12:00:00Z") ?? Timestamp(microseconds: 0)
    private static let pause = Pause(
        author: "me@here", reason: "a move", time: noon, position: Position(9))

    private static func hours(_ count: Int) -> Timestamp { noon + .seconds(3600 * count) }

    private static func shard(
        _ name: String, read: Timestamp?, _ status: Status = .inProcessing, isPaused: Bool = false
    ) -> Checkpoint {
        var checkpoint = Checkpoint(
            shard: Sample.key(name),
            discovered: ShardDiscovered(parent: nil, range: SequenceRange(), start: .trimHorizon),
            position: Position(1), time: noon)
        checkpoint.status = status
        checkpoint.approximateTime = read
        checkpoint.pause = isPaused ? pause : nil
        return checkpoint
    }

    private static func table(isPaused: Bool) -> TableState {
        var state = TableState(table: Sample.table)
        state.stream = Sample.key("a").stream
        state.phase = .incrSync
        state.pause = isPaused ? pause : nil
        return state
    }

    @Test(
        "The stream is sure to hold what waits for 23 hours from the last record of the shard that is furthest behind")
    func held() {
        let shards = [
            Self.shard("a", read: Self.hours(0)), Self.shard("b", read: Self.hours(-3)),
            Self.shard("c", read: Self.hours(-20), .done), Self.shard("d", read: nil),
        ]
        #expect(KnownPause.all(Self.table(isPaused: true), shards).map(\.heldUntil) == [Self.hours(20)])
        #expect(KnownPause.all(Self.table(isPaused: true), []).map(\.heldUntil) == [Self.hours(23)])
    }

    @Test("A shard's own pause speaks of that shard")
    func ofShard() throws {
        let shards = [Self.shard("b", read: Self.hours(-9)), Self.shard("a", read: Self.hours(-1), isPaused: true)]
        let known = try #require(KnownPause.all(Self.table(isPaused: false), shards).first)
        #expect(known.heldUntil == Self.hours(22))
        #expect(known.words == "shard a is paused by me@here since 2026-11-23 12:00:00: a move")
        #expect(known.outlook(now: Self.hours(2)).hasPrefix("the stream still holds what waits for 20 h"))
    }

    @Test(
        "It is no trouble for 12 hours, a warning from then on, and an operator's business once records may be lost",
        arguments: [(0, nil), (11, nil), (12, Health.degraded), (22, .degraded), (23, .failed), (40, .failed)])
    func health(hours: Int, health: Health?) {
        for isTable in [true, false] {
            let worst = Health.worst(
                of: Self.table(isPaused: isTable), [Self.shard("a", read: Self.noon, isPaused: !isTable)], nil,
                now: Self.hours(hours))
            #expect(worst?.health == health)
            if health != nil { #expect(worst?.reason.contains("paused by me@here") == true) }
        }
    }

    @Test("What is paused is not behind for it, however long its last record is ago; what is read is")
    func lag() {
        var idle = Self.shard("a", read: Self.hours(-48), isPaused: true)
        idle.accountedUntil = Self.noon
        #expect(Health.worst(of: Self.table(isPaused: false), [idle], nil, now: Self.hours(1)) == nil)
        let behind = [idle, Self.shard("b", read: Self.hours(-13))]
        #expect(
            Health.worst(of: Self.table(isPaused: false), behind, nil, now: Self.hours(1))?.health == .degraded)
    }

    @Test("A table that is to be scanned when it is resumed misses nothing of before")
    func beforeScan() {
        var state = Self.table(isPaused: true)
        state.phase = .fullSync
        let shards = [Self.shard("a", read: Self.hours(-20))]
        #expect(KnownPause.all(state, shards).map(\.heldUntil) == [nil])
        #expect(KnownPause.all(state, shards).compactMap { $0.complaint(now: Self.hours(400)) }.isEmpty)
        state.segments = [
            TableState.Segment(
                segment: 0, totalSegments: 1, lastEvaluatedKey: nil, isFinished: true, items: 1, bytes: 1)
        ]
        #expect(KnownPause.all(state, shards).map(\.heldUntil) == [Self.hours(3)], "its stream is pinned")
    }
}
