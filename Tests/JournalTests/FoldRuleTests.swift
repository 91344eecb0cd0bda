import StreamModel
import Testing

@testable import Journal

@Suite("Which old advances may go")
struct FoldRuleTests {
    /// Noon, two days after the noon that the events are around.
    private static let now = Sample.noon + .seconds(48 * 3600)

    private func verdicts(_ events: [(minutes: Int, advances: UInt32?)], now: Timestamp = now) -> [FoldRule.Verdict] {
        var rule = FoldRule(now: now)
        return events.map { rule.verdict(time: Sample.noon + .seconds(60 * $0.minutes), advances: $0.advances) }
    }

    @Test("The first advance of each shard in each hour stays, and what is no advance")
    func hours() {
        #expect(
            verdicts([
                (-120, 1), (-119, 1), (-118, 2), (-118, nil), (-117, 1), (-61, 2), (-60, 1), (-60, 2), (-1, 1), (-1, 2),
            ])
                == [.stays, .folds, .stays, .stays, .folds, .folds, .stays, .stays, .folds, .folds])
    }

    @Test("What is younger than 48 hours ends it, by whole hours", arguments: [0, 1, 59])
    func age(minutes: Int) {
        let now = Self.now + .seconds(60 * minutes)
        #expect(verdicts([(-1, 1), (-1, 1), (0, 1)], now: now) == [.stays, .folds, .ends])
        #expect(verdicts([(-1, nil), (30, nil)], now: now) == [.stays, .ends])
        #expect(verdicts([(0, 1), (0, 1)], now: Self.now + .seconds(3600)) == [.stays, .folds])
    }

    @Test("A clock that goes back lets more stay, and one that was ahead says nothing of what comes before")
    func clocks() {
        #expect(
            verdicts([(-120, 1), (-60, 1), (-120, 1), (-120, 1), (60 * 24 * 365, 1), (-120, 1), (60, 1)])
                == [.stays, .stays, .stays, .folds, .isOfNoTime, .folds, .ends])
    }

    @Test("Where another compaction went on meanwhile, the hour begins anew")
    func forgetting() {
        var rule = FoldRule(now: Self.now)
        let time = Sample.noon + .seconds(-60)
        #expect(rule.verdict(time: time, advances: 1) == .stays)
        #expect(rule.verdict(time: time, advances: 1) == .folds)
        rule.forget()
        #expect(rule.verdict(time: time, advances: 1) == .stays)
    }
}

extension FoldRuleTests {
    @Test("Age and resolution are as they are asked for")
    func policy() {
        var rule = FoldRule(now: Self.now, FoldPolicy(age: .seconds(3 * 24 * 3600), resolution: .seconds(600)))
        let verdicts = [-60 * 24 - 31, -60 * 24 - 30, -60 * 24 - 25, -60 * 24 - 20, -60 * 24 - 19, -60 * 24].map {
            rule.verdict(time: Sample.noon + .seconds(60 * $0), advances: 1)
        }
        #expect(verdicts == [.stays, .stays, .folds, .stays, .folds, .ends])
    }
}
