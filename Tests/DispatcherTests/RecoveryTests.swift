import Journal
import StreamModel
import Testing

@testable import Dispatcher

/// DESIGN 4.5.
@Suite("Recovery")
struct RecoveryTests {
    private func checkpoint(
        _ number: Int?, type: IteratorType = .afterSequenceNumber, status: Status = .inProcessing, epoch: UInt64 = 0
    ) -> Checkpoint {
        var checkpoint = Sample.checkpoint(
            status: status, type: type, number: number.map { Sample.number($0) })
        checkpoint.epoch = Epoch(epoch)
        checkpoint.records = 10
        return checkpoint
    }

    private func position(_ number: Int, epoch: UInt64 = 0) -> ShardPosition {
        ShardPosition(shard: Sample.key("a"), epoch: Epoch(epoch), sequenceNumber: Sample.number(number))
    }

    @Test("A target that is ahead moves the journal, and one that is behind sets the shard back")
    func compares() {
        #expect(Recovery.compare(checkpoint(50), with: position(50)) == .inStep)
        #expect(Recovery.compare(checkpoint(50), with: position(51)) == .advance(to: Sample.number(51)))
        #expect(Recovery.compare(checkpoint(50), with: position(49)) == .rewind(to: Sample.number(49)))
        #expect(
            Recovery.compare(checkpoint(nil, type: .trimHorizon), with: position(5)) == .advance(to: Sample.number(5)))
    }

    @Test("Of what another program has brought no position speaks, as long as nothing was brought since")
    func imported() {
        var imported = checkpoint(50)
        imported.importedSince = Sample.moment
        #expect(Recovery.compare(imported, with: nil) == .inStep)
        #expect(Recovery.compare(imported, with: position(51)) == .advance(to: Sample.number(51)))
        imported.importedSince = nil
        #expect(Recovery.compare(imported, with: nil) == .startAgain)
    }

    @Test("Numbers of different lengths are compared as numbers")
    func lengths() {
        #expect(Recovery.compare(checkpoint(100), with: position(99)) == .rewind(to: Sample.number(99)))
    }

    @Test("A position of another epoch says nothing: the shard was rewound since")
    func epochs() {
        #expect(Recovery.compare(checkpoint(20, epoch: 1), with: position(50, epoch: 0)) == .inStep)
        #expect(
            Recovery.compare(checkpoint(nil, type: .trimHorizon, epoch: 2), with: position(50, epoch: 1)) == .inStep)
    }

    @Test("A journal from before a rewind comes into the target's epoch, from where the two agree")
    func rejoins() throws {
        let behind = try #require(Recovery.lostRewinds(checkpoint(80), position(50, epoch: 2)))
        #expect(behind == (Sample.number(50), 2), "what lies behind 50 may be older than it was")
        let ahead = try #require(Recovery.lostRewinds(checkpoint(80, epoch: 1), position(90, epoch: 2)))
        #expect(ahead == (Sample.number(80), 1))
        #expect(Recovery.lostRewinds(checkpoint(80), position(50, epoch: .max))?.count == 1000)
        #expect(Recovery.lostRewinds(checkpoint(80, epoch: 1), position(50, epoch: 1)) == nil)
        #expect(Recovery.lostRewinds(checkpoint(80, epoch: 2), position(50, epoch: 1)) == nil)
        #expect(Recovery.lostRewinds(checkpoint(nil, type: .trimHorizon), position(50, epoch: 1)) == nil)
        #expect(Recovery.lostRewinds(checkpoint(80), nil) == nil)
    }

    @Test("One that is over without a number was read in those rewinds alone, from its start")
    func rejoinsAtTheStart() throws {
        for status in Status.allCases {
            let lost = Recovery.lostRewinds(checkpoint(nil, type: .latest, status: status), position(50, epoch: 2))
            #expect((lost != nil) == status.letsChildrenStart, "what is to be read begins at its start anyway")
            #expect(lost == nil || lost! == (nil, 2))
        }
        #expect(Recovery.lostRewinds(checkpoint(nil, status: .notNeeded), position(50)) == nil)
        #expect(Recovery.lostRewinds(checkpoint(nil, status: .notNeeded), nil) == nil)
    }

    @Test("What a target holds of a shard's descendants is not believed where the shard may bring what is older than that")
    func undermines() {
        func undermines(_ checkpoint: Checkpoint?, _ position: ShardPosition?) -> Bool {
            Recovery.undermines(checkpoint, position, isAboveKnown: false)
        }
        #expect(undermines(checkpoint(nil, type: .trimHorizon), nil), "the target can't say how far it was read")
        #expect(undermines(nil, nil), "it is discovered only now, and so after them")
        #expect(undermines(checkpoint(20, epoch: 1), position(50, epoch: 1)), "it may be in its replay")
        #expect(undermines(checkpoint(20), position(50, epoch: 1)))
        #expect(!undermines(checkpoint(20), position(50)), "it goes on behind all that it ever brought")
        #expect(!undermines(nil, position(50)))
        for status in [Status.notNeeded, .lost] {
            #expect(!undermines(checkpoint(20, status: status, epoch: 1), nil), "nothing of it is read")
        }
        #expect(!undermines(checkpoint(20, status: .done), position(50)))
        #expect(undermines(checkpoint(20, status: .done), nil), "it was read by this journal, and after them")
        #expect(undermines(checkpoint(20, status: .done, epoch: 1), position(50, epoch: 1)))
    }

    @Test("Nor where the journal knows them, and discovers the shard only now")
    func underminesKnown() {
        func undermines(_ checkpoint: Checkpoint?, _ position: ShardPosition?) -> Bool {
            Recovery.undermines(checkpoint, position, isAboveKnown: true)
        }
        #expect(undermines(nil, position(50)), "it may have been listed late before, and read after them")
        #expect(undermines(nil, nil))
        #expect(!undermines(checkpoint(20), position(50)))
        #expect(undermines(checkpoint(20, epoch: 1), position(50)))
        #expect(!undermines(checkpoint(20, status: .done, epoch: 1), nil), "they were set back with it")
    }

    @Test(
        "A target that holds less than a rewound checkpoint was restored from before the rewind, taken up since or not")
    func restoredFromBefore() {
        var rewound = checkpoint(80, epoch: 1)
        #expect(Recovery.compare(rewound, with: position(50, epoch: 0)) == .rewind(to: Sample.number(50)))
        #expect(Recovery.compare(rewound, with: position(90, epoch: 0)) == .inStep)
        rewound.approximateTime = Sample.moment
        #expect(Recovery.compare(rewound, with: position(50, epoch: 0)) == .rewind(to: Sample.number(50)))
        #expect(Recovery.compare(rewound, with: position(90, epoch: 0)) == .inStep)
    }

    @Test("After an inclusive rewind the number itself counts as written once the target says so in the new epoch")
    func inclusive() {
        let rewound = checkpoint(20, type: .atSequenceNumber, epoch: 1)
        #expect(Recovery.compare(rewound, with: position(20, epoch: 1)) == .advance(to: Sample.number(20)))
        #expect(Recovery.compare(rewound, with: position(50, epoch: 0)) == .inStep)
    }

    @Test("A target that holds nothing of what the journal says was written lacks the shard from its start")
    func empty() {
        #expect(Recovery.compare(checkpoint(50), with: nil) == .startAgain)
        #expect(Recovery.compare(Sample.checkpoint(), with: nil) == .inStep)
        var advanced = checkpoint(50)
        advanced.records = 0
        #expect(Recovery.compare(advanced, with: nil) == .startAgain, "also what recovery alone has moved there")
    }

    @Test(
        "A replay that the journal has begun and the target holds nothing of is lost, whatever the target held before it"
    )
    func lostReplay() {
        let replayed = checkpoint(50, epoch: 1)
        let rewound = Payload.rewound(
            Rewound(
                from: Sample.number(50), to: Sample.number(10), inclusive: true, reason: "", author: "operator",
                cascadeRoot: nil, epoch: Epoch(1)))
        let advanced = Payload.sequenceAdvanced(
            SequenceAdvanced(
                sequenceNumber: Sample.number(50), records: 1, bytes: 1, approximateTime: nil, targetToken: nil))
        func lost(_ position: ShardPosition?, _ newestFirst: Payload...) -> SequenceNumber? {
            let events = newestFirst.map { payload in
                Event(
                    position: Position(1), time: Sample.moment, run: RunID(Position(1)),
                    subject: .shard(Sample.key("a")), revision: Revision(1), payload: payload)
            }
            return Recovery.lostReplay(replayed, position, events)?.to
        }
        #expect(lost(position(50, epoch: 0), advanced, rewound, advanced) == Sample.number(10))
        #expect(lost(position(20, epoch: 0), advanced, rewound, advanced) == Sample.number(10))
        #expect(lost(position(50, epoch: 1), advanced, rewound) == nil, "it holds some of it")
        #expect(lost(position(50, epoch: 0), rewound, advanced) == nil, "nothing was replayed yet")
        #expect(lost(nil, advanced, rewound) == nil, "that is for `compare`")
    }

    @Test("A target lacks a segment of a scan that it holds less of, or of another scan only")
    func segments() {
        var state = TableState(table: Sample.table)
        state.fullSync = FullSyncID(7)
        state.segments = [0, 1].map {
            .init(segment: $0, totalSegments: 2, lastEvaluatedKey: nil, isFinished: true, items: 5, bytes: 1)
        }
        func held(_ items: UInt64..., fullSync: UInt64 = 7) -> [SegmentPosition] {
            items.enumerated().map {
                SegmentPosition(fullSync: FullSyncID(fullSync), segment: UInt32($0), items: $1)
            }
        }
        #expect(Recovery.missingSegment(of: state, in: held(5, 5)) == nil)
        #expect(Recovery.missingSegment(of: state, in: held(5, 9)) == nil)
        #expect(Recovery.missingSegment(of: state, in: held(5, 4)) == 1)
        #expect(Recovery.missingSegment(of: state, in: held(5)) == 1)
        #expect(Recovery.missingSegment(of: state, in: []) == 0)
        #expect(Recovery.missingSegment(of: state, in: held(5, 5, fullSync: 6)) == 0)
        #expect(Recovery.missingSegment(of: TableState(table: Sample.table), in: []) == nil)
    }
}

@Suite("Backing off")
struct BackoffTests {
    @Test("Waits double up to the maximum, at least half of each is certain, and success begins anew")
    func doubles() {
        var backoff = Backoff(first: .milliseconds(100), maximum: .seconds(1))
        #expect(
            (0..<6).map { _ in backoff.next(jitter: 1) } == [
                .milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800), .seconds(1),
                .seconds(1),
            ])
        #expect(backoff.next(jitter: 0) == .milliseconds(500))
        backoff.succeeded()
        #expect(backoff.next(jitter: 1) == .milliseconds(100))
    }

    @Test("A thousand failures do not overflow")
    func many() {
        var backoff = Backoff()
        for _ in 0..<1000 { #expect(backoff.next(jitter: 1) <= .seconds(30)) }
    }
}

@Suite("The plan of a full sync")
struct ScanPlanTests {
    private func state(_ segments: [TableState.Segment]) -> TableState {
        var state = TableState(table: Sample.table)
        state.segments = segments
        return state
    }

    @Test("A first sync reads every segment from its start")
    func first() {
        let plan = ScanPlan(state: nil, segments: 3)
        #expect(plan.totalSegments == 3)
        #expect(plan.open == (0..<3).map { ScanPlan.Segment(number: $0) })
    }

    @Test(
        "A table is cut by its size, into more segments than are read at a time",
        arguments: [(0, 8), (1 << 30, 8), (10 << 30, 40), (1 << 50, 256), (-1, 8)] as [(Int64, Int)])
    func segments(size: Int64, segments: Int) {
        #expect(ScanPlan.segments(ofBytes: size) == segments)
        let readers = ScanPlan.readers(of: segments)
        #expect(readers.first <= readers.most && readers.most < segments)
    }

    @Test("A scan of one segment has one reader")
    func one() {
        #expect(ScanPlan.readers(of: 1) == (1, 1))
    }

    @Test("A sync that was begun goes on with its own number of segments, after its last keys (API Reference, Scan)")
    func resumed() {
        let key = Array(#"{"pk":{"S":"a"}}"#.utf8)
        let plan = ScanPlan(
            state: state([
                .init(segment: 0, totalSegments: 4, lastEvaluatedKey: key, isFinished: false, items: 1, bytes: 1),
                .init(segment: 2, totalSegments: 4, lastEvaluatedKey: nil, isFinished: true, items: 1, bytes: 1),
            ]), segments: 9)
        #expect(plan.totalSegments == 4)
        #expect(
            plan.open == [
                ScanPlan.Segment(number: 0, after: key, items: 1), ScanPlan.Segment(number: 1),
                ScanPlan.Segment(number: 3),
            ])
    }
}
