import Dispatcher
import Journal
import StreamModel
import Testing

/// DESIGN 4.1.
@Suite("Where a shard starts")
struct StartTableTests {
    private let now = Sample.moment
    private let young = StoredIterator.iterator(Sample.iterator("young"), obtained: Sample.moment + .seconds(-899))
    private let old = StoredIterator.iterator(Sample.iterator("old"), obtained: Sample.moment + .seconds(-900))

    private func decide(
        _ checkpoint: Checkpoint, handedOver: ShardIterator? = nil, expired: Bool = false, atHorizon: Bool = false
    ) -> StartTable.Decision {
        StartTable.decide(checkpoint, handedOver: handedOver, expired: expired, atHorizon: atHorizon, now: now)
    }

    @Test("Row 1: an iterator that was handed over is used, whatever else is known")
    func handedOver() {
        let checkpoint = Sample.checkpoint(status: .inProcessing, type: .afterSequenceNumber, number: Sample.number(7))
        #expect(
            decide(checkpoint, handedOver: Sample.iterator("mine"))
                == .start(Start(.iterator(Sample.iterator("mine"))), .handedOver))
    }

    @Test(
        "Row 2: LATEST was promised and nothing says where it was",
        arguments: [Status.prepared, .inProcessing, .waitingForParent])
    func latestLost(status: Status) {
        #expect(decide(Sample.checkpoint(status: status, type: .latest)) == .needsFullSync)
    }

    @Test("Row 3: the checkpoint's own number is still to be read")
    func seeSequenceNumber() {
        let marked = Sample.checkpoint(
            status: .prepared, type: .latest, number: Sample.number(7), stored: .seeSequenceNumber)
        let rewound = Sample.checkpoint(status: .prepared, type: .atSequenceNumber, number: Sample.number(7))
        for checkpoint in [marked, rewound] {
            #expect(decide(checkpoint) == .start(Start(.at(Sample.number(7))), .seeSequenceNumber))
        }
    }

    @Test("Row 4: a stored iterator is used for 15 minutes, and not for one second more")
    func storedIterator() {
        let checkpoint = Sample.checkpoint(status: .prepared, type: .latest, stored: young)
        #expect(decide(checkpoint) == .start(Start(.iterator(Sample.iterator("young"))), .storedIterator))
        let stale = Sample.checkpoint(status: .prepared, type: .latest, stored: old)
        let second = Timestamp(microseconds: 1_795_000_000_000_000) + .seconds(-900)
        #expect(decide(stale) == .start(Start(.trimHorizon, notBefore: second), .sinceAnchor))
    }

    @Test("Row 4, its end: what the service calls expired is not asked for again")
    func expired() {
        let checkpoint = Sample.checkpoint(status: .prepared, type: .latest, stored: young)
        let second = Timestamp(microseconds: 1_795_000_000_000_000) + .seconds(-899)
        #expect(decide(checkpoint, expired: true) == .start(Start(.trimHorizon, notBefore: second), .sinceAnchor))
        #expect(
            decide(checkpoint, handedOver: Sample.iterator("mine"), expired: true)
                == .start(Start(.trimHorizon, notBefore: second), .sinceAnchor))
    }

    @Test("Row 4, its end: what was made before a shard's long silence is not read again with what comes after it")
    func silentSinceAnchor() {
        let silent = Sample.checkpoint(
            status: .inProcessing, type: .latest, stored: old, accountedUntil: Sample.moment + .seconds(-300))
        let halfWay = Timestamp(microseconds: 1_795_000_000_000_000) + .seconds(-600)
        #expect(decide(silent) == .start(Start(.trimHorizon, notBefore: halfWay), .sinceAnchor))
        let earlier = Sample.checkpoint(
            status: .inProcessing, type: .latest, stored: old, accountedUntil: Sample.moment + .seconds(-1000))
        let anchor = Timestamp(microseconds: 1_795_000_000_000_000) + .seconds(-900)
        #expect(decide(earlier) == .start(Start(.trimHorizon, notBefore: anchor), .sinceAnchor))
    }

    @Test("Row 5: the trim horizon")
    func trimHorizon() {
        #expect(decide(Sample.checkpoint()) == .start(Start(.trimHorizon), .trimHorizon))
    }

    @Test("Row 5, after a loss that was skipped: the trim horizon, and nothing that is in the target already")
    func skipped() throws {
        let decision = decide(Sample.checkpoint(status: .inProcessing, number: Sample.number(7)))
        #expect(decision == .start(Start(.trimHorizon, after: Sample.number(7)), .trimHorizon))
        guard case .start(let start, _) = decision else { return }
        let admitted = [6, 7, 8].filter { number in
            start.admits(
                Change(
                    kind: .remove, sequenceNumber: Sample.number(number), approximateTime: nil,
                    keys: ByteRange(offset: 0, count: 0), newImage: nil, oldImage: nil))
        }
        #expect(admitted == [8])
    }

    @Test("Row 6, where that record has left the stream and nothing after it: the trim horizon")
    func inStepHorizon() {
        let checkpoint = Sample.checkpoint(status: .inProcessing, type: .afterSequenceNumber, number: Sample.number(7))
        #expect(
            decide(checkpoint, atHorizon: true)
                == .start(Start(.trimHorizon, after: Sample.number(7)), .inStepHorizon))
        #expect(decide(Sample.checkpoint(), atHorizon: true) == .start(Start(.trimHorizon), .trimHorizon))
    }

    @Test("Row 6: after the last durable record")
    func afterSequenceNumber() {
        let checkpoint = Sample.checkpoint(status: .inProcessing, type: .afterSequenceNumber, number: Sample.number(7))
        #expect(decide(checkpoint) == .start(Start(.after(Sample.number(7))), .afterSequenceNumber))
    }

    /// The rows again, in another shape: as questions, asked in the table's order.
    private func expected(_ c: Checkpoint, handedOver: Bool, expired: Bool, isYoung: Bool) -> String {
        let waits = [.prepared, .inProcessing, .waitingForParent].contains(c.status)
        if handedOver, !expired { return "handed_over" }
        if c.iteratorType == .latest, c.storedIterator == nil {
            if waits { return "needs a full sync" }
            if c.status == .notProcessed { return "unanchored_latest" }
        }
        if c.sequenceNumber != nil, c.iteratorType == .atSequenceNumber { return "see_sequence_number" }
        if c.sequenceNumber != nil, c.iteratorType == .latest, c.storedIterator == .seeSequenceNumber {
            return "see_sequence_number"
        }
        if c.iteratorType == .latest, case .iterator? = c.storedIterator {
            if isYoung, !expired { return "stored_iterator" }
            return c.sequenceNumber == nil ? "since_anchor" : "after_sequence_number"
        }
        if c.iteratorType == .trimHorizon || c.sequenceNumber == nil { return "trim_horizon" }
        return "after_sequence_number"
    }

    @Test("Every combination of facts has exactly its row")
    func everyCombination() {
        var seen: Set<String> = []
        for type in IteratorType.allCases {
            for status in Status.allCases {
                for stored in [nil, .seeSequenceNumber, young, old] {
                    for number in [nil, Sample.number(7)] {
                        for handedOver in [false, true] {
                            for expired in [false, true] {
                                let checkpoint = Sample.checkpoint(
                                    status: status, type: type, number: number, stored: stored)
                                let decision = decide(
                                    checkpoint, handedOver: handedOver ? Sample.iterator("mine") : nil, expired: expired
                                )
                                let found =
                                    if case .start(_, let rule) = decision { rule.rawValue } else {
                                        "needs a full sync"
                                    }
                                #expect(
                                    found
                                        == expected(
                                            checkpoint, handedOver: handedOver, expired: expired,
                                            isYoung: stored == young),
                                    "\(type) \(status) \(String(describing: stored)) \(String(describing: number))")
                                seen.insert(found)
                            }
                        }
                    }
                }
            }
        }
        // The one row that no fact of these leads to has a test of its own, and a full sync is no rule.
        #expect(seen.count == StartTable.Rule.allCases.count - 1, "no row is out of reach")
    }

    @Test("A start never asks AFTER or AT without a number, and never drops records but since an anchor")
    func wellFormed() {
        for type in IteratorType.allCases {
            for status in Status.allCases {
                for stored in [nil, .seeSequenceNumber, young, old] {
                    for number in [nil, Sample.number(7)] {
                        let checkpoint = Sample.checkpoint(status: status, type: type, number: number, stored: stored)
                        guard case .start(let start, let rule) = decide(checkpoint) else { continue }
                        let needsNumber = [.atSequenceNumber, .afterSequenceNumber].contains(start.iteratorType)
                        #expect(needsNumber == (start.sequenceNumber != nil))
                        #expect((start.notBefore != nil) == (rule == .sinceAnchor))
                    }
                }
            }
        }
    }
}
