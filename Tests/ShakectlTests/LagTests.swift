import Dispatcher
import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("How far the target is behind")
struct LagTests {
    private let old = Sample.time("2026-11-23T16:00:00Z")

    private func lag(_ checkpoint: Checkpoint, page age: Duration? = nil, isInStep: Bool = true) -> Duration? {
        let sign = age.map { age in
            VitalSigns.Shard(
                id: checkpoint.shard.shard.text, taken: old,
                page: Timestamp(microseconds: Sample.now.microseconds - age.milliseconds * 1000), isInStep: isInStep)
        }
        return Lag.of(checkpoint, sign: sign, now: Sample.now)
    }

    @Test("A shard that is being caught up with is as late as its last durable record")
    func catchingUp() {
        #expect(lag(Sample.shard("a", at: "5", made: old), page: .seconds(1), isInStep: false) == .seconds(1800))
    }

    @Test("A shard that was just asked and had nothing is in step, however old its last record")
    func quiet() {
        #expect(lag(Sample.shard("a", at: "5", made: old), page: .seconds(1)) == .zero)
        #expect(lag(Sample.shard("a"), page: .seconds(1)) == .zero)
    }

    @Test("A shard that was in step when it was last asked is as late as that is long ago")
    func notAsked() {
        #expect(lag(Sample.shard("a", at: "5", made: old), page: .seconds(300)) == .seconds(300))
    }

    @Test("Where no daemon says anything of it, a shard is as late as its last record")
    func noSign() {
        #expect(lag(Sample.shard("a", made: old)) == .seconds(1800))
        #expect(lag(Sample.shard("a", .waitingForParent, made: old)) == .seconds(1800))
    }

    @Test("A finished shard has none, nor one that nothing was read of", arguments: [Status.done, .notNeeded, .lost])
    func none(status: Status) {
        #expect(lag(Sample.shard("a", status, made: old), page: .seconds(1)) == nil)
        #expect(lag(Sample.shard("a", .notProcessed)) == nil)
    }

    @Test("A source whose clock is ahead makes no negative lag")
    func clock() {
        #expect(lag(Sample.shard("a", made: Sample.time("2026-11-23T16:31:00Z"))) == .zero)
    }
}
