import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("How far the target is behind")
struct LagTests {
    private let old = Sample.time("2026-11-23T16:00:00Z")
    private let longAgo = Sample.time("2026-11-23T16:20:00Z")

    private func lag(_ checkpoint: Checkpoint, daemonIsRunning: Bool = true) -> Duration? {
        Lag.of(checkpoint, daemonIsRunning: daemonIsRunning, now: Sample.now)
    }

    @Test("A shard that is being caught up with is as late as its last durable record")
    func catchingUp() {
        #expect(lag(Sample.shard("a", at: "5", made: old)) == .seconds(1800))
    }

    @Test("A shard that is read and quiet is in step, however old its last record")
    func quiet() {
        #expect(lag(Sample.shard("a", at: "5", updated: longAgo, made: old)) == .zero)
        #expect(lag(Sample.shard("a", updated: longAgo)) == .zero)
    }

    @Test("Quiet says nothing where no daemon reads, where an error was last, or where reading hasn't begun")
    func notQuiet() {
        #expect(lag(Sample.shard("a", updated: longAgo, made: old), daemonIsRunning: false) == .seconds(1800))
        let fault = Checkpoint.Fault(code: "X", message: "", time: longAgo)
        #expect(lag(Sample.shard("a", updated: longAgo, made: old, fault: fault)) == .seconds(1800))
        #expect(lag(Sample.shard("a", .waitingForParent, updated: longAgo, made: old)) == .seconds(1800))
    }

    @Test("A finished shard has none, nor one that nothing was read of", arguments: [Status.done, .notNeeded])
    func none(status: Status) {
        #expect(lag(Sample.shard("a", status, made: old)) == nil)
        #expect(lag(Sample.shard("a", .notProcessed)) == nil)
    }

    @Test("A source whose clock is ahead makes no negative lag")
    func clock() {
        #expect(lag(Sample.shard("a", made: Sample.time("2026-11-23T16:31:00Z"))) == .zero)
    }
}
