import Journal
import StreamModel
import Targets
import Testing

@testable import Dispatcher

@Suite("What becomes of a table that failed")
struct AfterFailureTests {
    private static func lost(_ policy: LossPolicy) -> DaemonError {
        .rangeLost(
            table: Sample.table, shard: nil,
            RangeLost(cause: .trimmed, from: nil, to: nil, since: nil, policy: policy, detail: "gone"))
    }

    private static let needsFullSync = DaemonError.needsFullSync(table: Sample.table, reason: "emptied")

    private static func decide(
        _ error: DaemonError, _ mode: DaemonConfiguration.Mode = .all, onLoss policy: LossPolicy = .stop
    ) -> AfterFailure {
        AfterFailure.decide(error, mode: mode, onLoss: policy)
    }

    @Test("A loss is put right by a full sync where its policy was that and scans are made, else by an operator's word")
    func loss() {
        #expect(Self.decide(Self.lost(.resync)) == .syncsInFull)
        // The policy that the loss was declared under counts, not one that came after it.
        #expect(Self.decide(Self.lost(.stop), onLoss: .resync) == .waitsForWord)
        for mode in [DaemonConfiguration.Mode.incr, .full] {
            #expect(Self.decide(Self.lost(.resync), mode) == .waitsForWord)
        }
    }

    @Test("What only a full sync brings is begun by the table's policy, or by an operator's word")
    func fullSync() {
        #expect(Self.decide(Self.needsFullSync, onLoss: .resync) == .syncsInFull)
        for policy in [LossPolicy.stop, .skip] {
            #expect(Self.decide(Self.needsFullSync, onLoss: policy) == .waitsForWord)
        }
        #expect(Self.decide(Self.needsFullSync, .incr, onLoss: .resync) == .waitsForWord)
    }

    @Test("Too many dead letters wait for a word; what is set up wrongly is looked at again and again")
    func operators() {
        #expect(Self.decide(.tooManyRefused(table: Sample.table, limit: 3, last: "no")) == .waitsForWord)
        #expect(Self.decide(.misconfigured(what: "table", reason: "it has no stream")) == .waitsForMending)
        #expect(Self.decide(.source(.named("AccessDeniedException"))) == .waitsForMending)
        let denied = DaemonError.mayNotEnableStream(table: Sample.table, .named("AccessDeniedException"))
        #expect(Self.decide(denied) == .waitsForMending)
    }

    @Test("What passes is tried again, and what stops everything ends the daemon")
    func others() {
        #expect(Self.decide(.source(.named("ThrottlingException"))) == .triesAgain)
        #expect(Self.decide(.target(.unavailable(target: "t", reason: "away"))) == .triesAgain)
        #expect(Self.decide(.target(.broken(target: "t", reason: "full"))) == .daemonEnds)
        #expect(Self.decide(.journal(.closed(path: "j"))) == .daemonEnds)
    }

    @Test("An operator is needed only where nothing else puts it right")
    func needsOperator() {
        let all: [AfterFailure] = [.daemonEnds, .syncsInFull, .waitsForWord, .waitsForMending, .triesAgain]
        #expect(all.filter(\.needsOperator) == [.waitsForWord, .waitsForMending])
    }
}
