import StreamModel
import Testing

@testable import Journal

@Suite("Planning a rewind")
struct RewindPlanTests {
    private let scratch = Scratch()

    private static func make(
        _ place: RewindRequest.Place, _ shard: Int = 1, inclusive: Bool = false, in journal: Journal
    ) throws -> RewindPlan {
        let request = RewindRequest(place: place, inclusive: inclusive, reason: "a bad deploy", author: "me@here")
        return try RewindPlan.make(request, of: Sample.key(shard), among: try journal.checkpoints())
    }

    private static func refusal(
        _ place: RewindRequest.Place, _ shard: Int = 1, in journal: Journal
    ) throws -> String? {
        do {
            _ = try make(place, shard, in: journal)
            return nil
        } catch let refusal as RewindRefusal {
            return refusal.description
        }
    }

    private static func at(_ number: Int) -> RewindRequest.Place { .sequenceNumber(Sample.number(number)) }

    private static func at(_ journal: Journal, _ position: Position, _ shard: Int = 1) throws -> RewindRequest.Place {
        .checkpoint(try #require(try journal.checkpoint(of: Sample.key(shard), at: position)))
    }

    @Test(
        "A rewind names its two ends, its epoch, who and why, and what the stream must still hold",
        arguments: [false, true])
    func plain(inclusive: Bool) async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50)
            let plan = try Self.make(Self.at(40), inclusive: inclusive, in: journal)
            #expect(
                (plan.from, plan.to, plan.inclusive, plan.cascaded) == (
                    Sample.number(50), Sample.number(40), inclusive, []
                ))
            #expect(plan.needs.type == (inclusive ? .atSequenceNumber : .afterSequenceNumber))
            #expect(plan.needs.sequenceNumber == Sample.number(40))
            let receipts = try await journal.append(plan.drafts)
            let checkpoint = try #require(receipts.first?.checkpoint)
            #expect(checkpoint.sequenceNumber == Sample.number(40))
            #expect(checkpoint.epoch == Epoch(1))
            guard case .rewound(let rewound)? = try journal.everything().last?.payload else {
                Issue.record("the last event is no rewind")
                return
            }
            #expect((rewound.reason, rewound.author, rewound.cascadeRoot) == ("a bad deploy", "me@here", nil))
        }
    }

    @Test("A rewind to the start needs the trim horizon")
    func start() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50, done: true)
            let plan = try Self.make(.start, in: journal)
            #expect((plan.to, plan.needs.type, plan.needs.sequenceNumber) == (nil, .trimHorizon, nil))
            #expect(try await journal.append(plan.drafts).first?.checkpoint?.iteratorType == .trimHorizon)
        }
    }

    @Test("A rewind to where the shard stands is a rewind")
    func same() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50)
            let receipts = try await journal.append(try Self.make(Self.at(50), inclusive: true, in: journal).drafts)
            #expect(receipts.first?.checkpoint?.iteratorType == .atSequenceNumber)
        }
    }

    //       ┌▶ 2 ─▶ 4 ─▶ 6
    //  1 ───┤
    //       └▶ 3 ─▶ 5 (not begun)
    @Test("All descendants that have begun are set back to their start, parents before children, and no other")
    func cascade() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50, done: true)
            try await journal.follow(3, parent: 1, upTo: 60)
            try await journal.follow(2, parent: 1, upTo: 60, done: true)
            try await journal.follow(4, parent: 2, upTo: 70, done: true)
            try await journal.add(5, .discovered(parent: 3))
            try await journal.add(6, [.discovered(parent: 4)] + Payload.takenUp)
            try await journal.follow(7, upTo: 80)
            let plan = try Self.make(Self.at(10), in: journal)
            #expect(plan.cascaded == [2, 3, 4, 6].map(Sample.key))
            _ = try await journal.append(plan.drafts)
            let statuses = try Dictionary(uniqueKeysWithValues: journal.checkpoints().map { ($0.shard, $0.status) })
            #expect(
                [1, 2, 3, 4, 5, 6, 7].map { statuses[Sample.key($0)] } == [
                    .prepared, .waitingForParent, .waitingForParent, .waitingForParent, .notProcessed,
                    .waitingForParent,
                    .inProcessing,
                ])
            #expect(try journal.checkpoint(of: Sample.key(4))?.sequenceNumber == nil)
            _ = try journal.verified()
        }
    }

    //  1 not needed ─── 2 not needed ─── 3 anchored at LATEST
    @Test("Below a shard from before a scan, what the scan made unnecessary is read again too")
    func cascadeAboveAnchor() async throws {
        try await Journal.use(scratch.journal) { journal in
            for (shard, parent) in [(1, nil), (2, 1)] as [(Int, Int?)] {
                try await journal.add(
                    shard, [.discovered(parent: parent, to: 90, start: .latest), .status(.notProcessed, .notNeeded)])
            }
            try await journal.add(
                3, [.discovered(parent: 2, start: .latest), .resolved(.latest), .status(.notProcessed, .prepared)])
            let plan = try Self.make(.start, in: journal)
            #expect(plan.cascaded == [2, 3].map(Sample.key))
            let alone = await #expect(throws: JournalError.self) { try await journal.append([plan.drafts[0]]) }
            #expect(alone?.exitCode == 65, "the journal takes it only with its descendants")
            _ = try await journal.append(plan.drafts)
            let last = try #require(try journal.checkpoint(of: Sample.key(3)))
            #expect(last.status == .waitingForParent && last.iteratorType == .trimHorizon && last.storedIterator == nil)
        }
    }

    @Test("What has begun below a parent that is listed late begins again, in the append that discovers the parent")
    func lateParent() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(2, parent: 1, upTo: 60, done: true)
            try await journal.follow(3, parent: 2, upTo: 70)
            try await journal.add(4, .discovered(parent: 1))
            let drafts = RewindPlan.settingBack(
                below: [Sample.shard(1)], among: try journal.checkpoints(), reason: "late", author: "recovery")
            #expect(drafts.map(\.subject) == [2, 3].map { .shard(Sample.key($0)) })
            _ = try await journal.append(
                [Draft(shard: Sample.key(1), expecting: .none, [.discovered()])] + drafts)
            for number in [2, 3] {
                let checkpoint = try #require(try journal.checkpoint(of: Sample.key(number)))
                #expect(checkpoint.status == .waitingForParent && checkpoint.sequenceNumber == nil)
            }
            _ = try journal.verified()
        }
    }

    @Test("Shards of another stream, with the same ids, are left alone")
    func otherStream() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50, done: true)
            let other = ShardKey(table: Sample.table, stream: StreamARN("another"), shard: Sample.shard(2))
            _ = try await journal.append([
                Draft(shard: other, expecting: .none, [.discovered(parent: 1)] + Payload.takenUp)
            ])
            #expect(try Self.make(Self.at(10), in: journal).cascaded == [])
        }
    }

    // MARK: - Refusals

    @Test("What is not possible is refused, and says what is instead")
    func refusals() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.add(
                1, [.discovered(parent: 9, from: 10, to: 90)] + Payload.takenUp + [.advanced(50)])
            try await journal.add(2, .discovered())
            #expect(
                try Self.refusal(Self.at(5), 8, in: journal)
                    == "the journal doesn't know shard orders/shardId-00008: `shakectl shards` lists those that it knows"
            )
            #expect(
                try Self.refusal(Self.at(9), in: journal)
                    == "sequence number \(Sample.number(9)) lies before shard shardId-00001, which starts at \(Sample.number(10)): "
                    + "--to-start goes back as far as it can; what comes before is in its parent shardId-00009")
            #expect(
                try Self.refusal(Self.at(91), in: journal)
                    == "sequence number \(Sample.number(91)) lies behind shard shardId-00001, which ends at \(Sample.number(90)): "
                    + "what comes after is in its children")
            #expect(
                try Self.refusal(Self.at(51), in: journal)?.hasPrefix(
                    "sequence number \(Sample.number(51)) lies ahead of shard shardId-00001's checkpoint, which is \(Sample.number(50))"
                ) == true)
            #expect(
                try Self.refusal(Self.at(5), 2, in: journal)?.hasPrefix(
                    "nothing of shard shardId-00002 is in the target since its start") == true)
            let other = try #require(try journal.checkpoint(of: Sample.key(2)))
            #expect(
                try Self.refusal(.checkpoint(other), in: journal)
                    == "that checkpoint belongs to shard orders/shardId-00002, not to orders/shardId-00001")
        }
    }

    @Test("A shard of a stream that the table is no longer followed by is not rewound")
    func olderStream() {
        let shard = Sample.key(1)
        #expect(throws: Never.self) { try RewindPlan.check(shard, followedBy: shard.stream) }
        #expect(throws: Never.self) { try RewindPlan.check(shard, followedBy: nil) }
        #expect {
            try RewindPlan.check(shard, followedBy: StreamARN("another"))
        } throws: {
            "\($0)".hasPrefix("shard orders/shardId-00001 is of an older stream")
        }
    }

    // MARK: - Undo

    @Test("A rewind that nobody has taken up is taken back by the position before it", arguments: [40, nil])
    func undo(to place: Int?) async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50)
            let before = try journal.lastPosition()
            _ = try await journal.append(try Self.make(place.map { Self.at($0) } ?? .start, in: journal).drafts)
            let plan = try Self.make(try Self.at(journal, before), in: journal)
            let undone = try #require(try await journal.append(plan.drafts).first?.checkpoint)
            #expect(
                (undone.sequenceNumber, undone.iteratorType, undone.epoch) == (
                    Sample.number(50), .afterSequenceNumber, Epoch(2)
                ))
        }
    }

    @Test(
        "A rewind whose replay has begun is not taken back: records between would stay as they were before",
        arguments: [false, true])
    func undoTooLate(hasAdvanced: Bool) async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50)
            let before = try journal.lastPosition()
            _ = try await journal.append(try Self.make(Self.at(10), in: journal).drafts)
            try await journal.add(1, .status(.prepared, .inProcessing))
            if hasAdvanced { try await journal.add(1, .advanced(11)) }
            let refusal = try Self.refusal(try Self.at(journal, before), in: journal)
            #expect(refusal?.contains("let the replay run: it ends in the same place") == true)
        }
    }

    @Test("Only the last rewind is taken back: before an earlier one's replay came to its end, the target is not whole")
    func undoSkips() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50)
            let first = try journal.lastPosition()
            _ = try await journal.append(try Self.make(Self.at(10), in: journal).drafts)
            // 11…20 are replayed over what 21…50 left; only their replay puts that right.
            try await journal.add(1, .status(.prepared, .inProcessing), .advanced(20))
            let second = try journal.lastPosition()
            _ = try await journal.append(try Self.make(Self.at(15), in: journal).drafts)
            #expect(try Self.refusal(try Self.at(journal, first), in: journal)?.contains("let the replay run") == true)
            #expect(try Self.make(try Self.at(journal, second), in: journal).to == Sample.number(20))
        }
    }

    // 1 ─▶ 2
    @Test("A descendant is not brought forward while a shard above it is replayed")
    func undoDescendant() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50, done: true)
            try await journal.follow(2, parent: 1, upTo: 60)
            let before = try journal.lastPosition()
            _ = try await journal.append(try Self.make(Self.at(10), in: journal).drafts)
            let refusal = try Self.refusal(try Self.at(journal, before, 2), 2, in: journal)
            #expect(refusal?.contains("shardId-00001, above it, is prepared") == true, "\(String(describing: refusal))")
        }
    }

    @Test("An undo is a rewind, and can be taken back too")
    func undoUndo() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50)
            for (there, epoch) in [(10, 1), (50, 2), (10, 3), (50, 4)] as [(Int, UInt64)] {
                let before = try journal.lastPosition()
                let place = epoch == 1 ? Self.at(10) : try Self.at(journal, Position(before.number - 1))
                let receipts = try await journal.append(try Self.make(place, in: journal).drafts)
                #expect(receipts.first?.checkpoint?.sequenceNumber == Sample.number(there))
                #expect(receipts.first?.checkpoint?.epoch == Epoch(epoch))
            }
        }
    }

    @Test("A checkpoint from an inclusive rewind is restored as inclusive")
    func inclusiveCheckpoint() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50)
            _ = try await journal.append(try Self.make(Self.at(40), inclusive: true, in: journal).drafts)
            let then = try journal.lastPosition()
            try await journal.add(1, .status(.prepared, .inProcessing), .advanced(50))
            let plan = try Self.make(try Self.at(journal, then), in: journal)
            #expect((plan.to, plan.inclusive) == (Sample.number(40), true))
        }
    }
}
