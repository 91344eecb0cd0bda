import Dispatcher
import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("A pause, shown")
struct PauseViewTests {
    private static let pause = Pause(
        author: "me@here", reason: "a move", time: Sample.now, position: Position(9))

    private func state(isPaused: Bool) -> TableState {
        var state = TableState(table: TableName("orders"))
        (state.stream, state.phase) = (Sample.stream, .incrSync)
        state.pause = isPaused ? Self.pause : nil
        return state
    }

    private func shard(isPaused: Bool) -> Checkpoint {
        var shard = Sample.shard("a", made: Sample.now)
        shard.pause = isPaused ? Self.pause : nil
        return shard
    }

    private func view(
        _ deed: PauseRequest.Deed, _ subject: Subject, changed: Bool = true, before: Pause? = nil, table: Bool,
        shard isPaused: Bool
    ) -> PauseView {
        PauseView(
            deed: deed, subject: subject, table: TableName("orders"), before: before,
            position: changed ? Position(12) : nil,
            pauses: KnownPause.all(state(isPaused: table), [shard(isPaused: isPaused)]), isRunning: true)
    }

    @Test("Pausing says what happens next, and for how long the stream holds what waits")
    func pausing() {
        let view = view(.pause, .table(TableName("orders")), table: true, shard: false)
        #expect(
            view.lines(.plain, now: Sample.now) == [
                "paused  table orders", "The daemon finishes what is in flight, and asks for no more.",
                "the stream still holds what waits for 23 h: `shakectl resume orders` goes on",
            ])
        #expect(
            view.json.line == """
                {"table":"orders","stream":null,"shard":null,"paused":true,"changed":true,"author":"me@here",\
                "reason":"a move","since":"2026-11-23T16:30:00Z","held_until":"2026-11-24T15:30:00Z","position":12}
                """)
    }

    @Test("What was so already is said, and who had said it")
    func already() {
        let paused = view(
            .pause, .shard(Sample.key("a")), changed: false, before: Self.pause, table: false, shard: true)
        #expect(paused.lines(.plain, now: Sample.now)[0].contains("is paused already: shard a is paused by me@here"))
        #expect(paused.json.line.contains(#""shard":"a","paused":true,"changed":false"#))
        let resumed = view(.resume, .table(TableName("orders")), changed: false, table: false, shard: false)
        #expect(resumed.lines(.plain, now: Sample.now) == ["table orders is not paused."])
    }

    @Test("Resuming names what is still paused besides: the shard of a table, and the table of a shard")
    func left() {
        let table = view(
            .resume, .table(TableName("orders")), before: Self.pause, table: false, shard: true)
        #expect(table.lines(.plain, now: Sample.now).last?.hasPrefix("Still: shard a is paused by me@here") == true)
        let shard = view(.resume, .shard(Sample.key("a")), before: Self.pause, table: true, shard: false)
        #expect(shard.lines(.plain, now: Sample.now).last?.hasPrefix("The whole table is paused by me@here") == true)
    }

    @Test("The status of a paused table says so, and is ok for as long as nothing is in danger")
    func status() throws {
        let all = TableStatus.all(
            tables: [state(isPaused: true)], checkpoints: [shard(isPaused: false)], daemon: Sample.running,
            now: Sample.now + .seconds(3600))
        let status = try #require(all.first)
        #expect(status.health == .ok)
        #expect(
            status.reason == "paused by me@here since 2026-11-23 16:30:00: a move; the stream still holds what waits for "
                + "22 h: `shakectl resume orders` goes on")
        #expect(status.pauses.count == 1)
    }

    @Test("A paused shard is marked among the others, and each of a paused table that is not over")
    func shards() {
        let over = Sample.shard("b", .done)
        let own = ShardsView(checkpoints: [shard(isPaused: true), over], signs: nil, now: Sample.now)
        #expect(own.lines(.plain).filter { $0.contains("in_processing, paused") }.count == 1)
        let whole = ShardsView(
            checkpoints: [shard(isPaused: false), over], signs: nil, now: Sample.now,
            pausedTables: [TableName("orders")])
        #expect(whole.lines(.plain).filter { $0.contains(", paused") }.count == 1)
    }
}
