import StreamModel
import TestSupport
import Testing

@testable import Journal

@Suite("Folding a shard's events")
struct CheckpointFoldTests {
    /// A checkpoint in which every field says something.
    private static func full(_ status: Status = .inProcessing) -> Checkpoint {
        var checkpoint = Checkpoint(
            shard: Sample.key(1),
            discovered: ShardDiscovered(
                parent: Sample.shard(9), range: SequenceRange(starting: Sample.number(0), ending: nil),
                start: .afterSequenceNumber),
            position: Position(10), time: Sample.noon)
        checkpoint.status = status
        checkpoint.sequenceNumber = Sample.number(50)
        checkpoint.storedIterator = .iterator(ShardIterator("kept"), obtained: Sample.noon)
        checkpoint.worker = "here:1"
        checkpoint.approximateTime = Sample.noon
        checkpoint.epoch = Epoch(3)
        checkpoint.revision = Revision(20)
        checkpoint.records = 40
        checkpoint.bytes = 4000
        checkpoint.targetToken = TargetToken("4000")
        checkpoint.lastFault = Checkpoint.Fault(code: "Old", message: "old", time: Sample.noon)
        return checkpoint
    }

    private static func apply(_ payload: Payload, to checkpoint: Checkpoint) throws(Refusal) -> Checkpoint {
        try checkpoint.applying(
            Event(
                position: Position(11), time: Sample.noon + .seconds(1), run: RunID(Position(1)),
                subject: .shard(checkpoint.shard), revision: checkpoint.revision.next, payload: payload))
    }

    private static func refusal(_ payload: Payload, to checkpoint: Checkpoint) -> Refusal? {
        do throws(Refusal) {
            _ = try apply(payload, to: checkpoint)
            return nil
        } catch {
            return error
        }
    }

    /// The fields in which two checkpoints differ, save those that every event moves.
    private static func changes(_ before: Checkpoint, _ after: Checkpoint) -> Set<String> {
        let values = { (checkpoint: Checkpoint) in
            Dictionary(Mirror(reflecting: checkpoint).children.map { ($0.label ?? "", String(reflecting: $0.value)) }) {
                $1
            }
        }
        let (old, new) = (values(before), values(after))
        return Set(old.keys.filter { old[$0] != new[$0] }).subtracting(["revision", "position", "updated"])
    }

    // MARK: - Status

    private static let mayFollow: [Status: Set<Status>] = [
        .notProcessed: [.notNeeded, .prepared, .waitingForParent, .inProcessing, .lost],
        .notNeeded: [],
        .prepared: [.inProcessing, .waitingForParent, .notNeeded, .lost],
        .waitingForParent: [.prepared, .inProcessing, .notNeeded, .lost],
        .inProcessing: [.done, .notNeeded, .lost],
        .done: [],
        .lost: [],
    ]

    @Test("A status is followed by those of the table and by no other", arguments: Status.allCases, Status.allCases)
    func statuses(from: Status, to: Status) {
        let before = Self.full(from)
        let isAllowed = Self.mayFollow[from]?.contains(to) == true
        if let refusal = Self.refusal(.status(from, to), to: before) {
            #expect(!isAllowed)
            #expect(refusal.rule == "\(from.rawValue) is never followed by \(to.rawValue) without a rewind")
            #expect((refusal.shard, refusal.revision, refusal.attempted) == (before.shard, Revision(20), Revision(21)))
            #expect(
                refusal.description.contains(
                    "orders/shardId-00001: status_changed as revision 21 can't follow revision 20"))
        } else {
            #expect(isAllowed)
        }
    }

    @Test("A change from another status than the shard's is refused", arguments: Status.allCases)
    func otherStatus(status: Status) {
        for claimed in Status.allCases where claimed != status {
            #expect(
                Self.refusal(.status(claimed, .done), to: Self.full(status))?.rule
                    == "the status is \(status.rawValue), not \(claimed.rawValue)")
        }
    }

    @Test("Only a shard in processing advances", arguments: Status.allCases)
    func advanceNeedsProcessing(status: Status) {
        #expect((Self.refusal(.advanced(60), to: Self.full(status)) == nil) == (status == .inProcessing))
    }

    @Test(
        "A rewind sets any status back: the shard itself to prepared, a descendant to waiting for its parent",
        arguments: Status.allCases)
    func rewindStatus(status: Status) throws {
        #expect(try Self.apply(.rewound(from: 50, to: 40, epoch: 4), to: Self.full(status)).status == .prepared)
        #expect(
            try Self.apply(.rewound(from: 50, to: nil, root: 9, epoch: 4), to: Self.full(status)).status
                == .waitingForParent)
    }

    // MARK: - Sequence numbers

    @Test("A sequence number never goes back or stands still", arguments: [-999, 0, 49, 50])
    func back(number: Int) {
        let rule = Self.refusal(.advanced(number), to: Self.full())?.rule
        #expect(
            rule
                == "sequence number \(Sample.number(number)) does not come after \(Sample.number(50)): only a rewind goes back"
        )
    }

    @Test("Order is that of numbers, not of text")
    func numeric() throws {
        var checkpoint = Self.full()
        checkpoint.sequenceNumber = SequenceNumber("999")
        let next = SequenceAdvanced(
            sequenceNumber: try #require(SequenceNumber("1000")), records: 1, bytes: 1, approximateTime: nil,
            targetToken: nil)
        #expect(try Self.apply(.sequenceAdvanced(next), to: checkpoint).sequenceNumber == SequenceNumber("1000"))
    }

    @Test("After an inclusive rewind the record itself may come again, once, and never one before it")
    func inclusive() throws {
        let rewound = try Self.apply(.rewound(from: 50, to: 40, inclusive: true, epoch: 4), to: Self.full())
        #expect(rewound.iteratorType == .atSequenceNumber)
        let taken = try Self.apply(.status(.prepared, .inProcessing), to: rewound)
        #expect(Self.refusal(.advanced(39), to: taken) != nil)
        let again = try Self.apply(.advanced(40), to: taken)
        #expect((again.sequenceNumber, again.iteratorType) == (Sample.number(40), .afterSequenceNumber))
        #expect(Self.refusal(.advanced(40), to: again) != nil)
    }

    @Test("An exclusive rewind does not let the record itself come again")
    func exclusive() throws {
        let rewound = try Self.apply(.rewound(from: 50, to: 40, epoch: 4), to: Self.full())
        let taken = try Self.apply(.status(.prepared, .inProcessing), to: rewound)
        #expect(Self.refusal(.advanced(40), to: taken) != nil)
        #expect(Self.refusal(.advanced(41), to: taken) == nil)
    }

    @Test("After a rewind to the start any number may come first")
    func toStart() throws {
        let rewound = try Self.apply(.rewound(from: 50, to: nil, epoch: 4), to: Self.full(.done))
        #expect((rewound.sequenceNumber, rewound.iteratorType, rewound.epoch) == (nil, .trimHorizon, Epoch(4)))
        let taken = try Self.apply(.status(.prepared, .inProcessing), to: rewound)
        #expect(Self.refusal(.advanced(1), to: taken) == nil)
    }

    @Test(
        "A rewind from another number, or into another epoch than the next, is refused",
        arguments: [2, 3, 5] as [UInt64])
    func rewindMatches(epoch: UInt64) {
        #expect(
            Self.refusal(.rewound(from: 50, to: 40, epoch: epoch), to: Self.full())?.rule
                == "the epoch after 3 is 4, not \(epoch)")
        #expect(
            Self.refusal(.rewound(from: 49, to: 40, epoch: 4), to: Self.full())?.rule
                == "the checkpoint is at \(Sample.number(50)), not at \(Sample.number(49))")
        #expect(
            Self.refusal(.rewound(from: nil, to: 40, epoch: 4), to: Self.full())?.rule
                == "the checkpoint is at \(Sample.number(50)), not at the start")
    }

    // MARK: - What is lost

    @Test("A loss that is skipped moves the shard to the oldest record left, and keeps the number that it comes after")
    func skip() throws {
        let after = try Self.apply(.lost(.skip, from: 50, to: 70), to: Self.full())
        #expect((after.iteratorType, after.sequenceNumber) == (.trimHorizon, Sample.number(50)))
        #expect(after.storedIterator == nil)
        #expect((after.lossDeclared, after.accountedUntil) == (Sample.noon + .seconds(1), nil))
        #expect(Self.refusal(.advanced(50), to: after) != nil, "it never goes back")
        #expect(try Self.apply(.advanced(70), to: after).iteratorType == .afterSequenceNumber)
    }

    @Test("A loss that stops or resyncs changes nothing of the place", arguments: [LossPolicy.stop, .resync])
    func stopped(policy: LossPolicy) throws {
        let before = Self.full()
        #expect(Self.changes(before, try Self.apply(.lost(policy), to: before)) == ["loss"])
    }

    @Test("Nothing is lost of a shard that is finished", arguments: [Status.done, .notNeeded, .lost])
    func nothingToLose(status: Status) {
        #expect(Self.refusal(.lost(.skip), to: Self.full(status)) != nil)
    }

    @Test("A loss that did not stop the table is over once it is acknowledged; one that did waits for a remedy")
    func acknowledged() throws {
        for policy in [LossPolicy.skip, .resync] {
            let lost = try Self.apply(.lost(policy), to: Self.full())
            #expect(lost.loss?.isAcknowledged == false)
            #expect(try Self.apply(.acknowledged(), to: lost).loss == nil)
        }
        let stopped = try Self.apply(.lost(.stop), to: Self.full())
        let noted = try Self.apply(.acknowledged(), to: stopped)
        #expect((noted.loss?.isAcknowledged, noted.loss?.remedy) == (true, nil))
        let remedied = try Self.apply(.acknowledged(.skip), to: noted)
        #expect(remedied.loss?.remedy == .skip)
        #expect(try Self.apply(.lost(.skip), to: remedied).loss == nil, "an operator has answered it beforehand")
        #expect(try Self.apply(.lost(.resync), to: remedied).loss?.isAcknowledged == false, "this is not what was said")
    }

    @Test("Where nothing is lost there is nothing to acknowledge")
    func nothingToAcknowledge() {
        #expect(Self.refusal(.acknowledged(), to: Self.full())?.rule == "there is no loss to acknowledge")
    }

    @Test("Losses that nobody has acknowledged are one, from the first gap on")
    func merged() throws {
        let once = try Self.apply(.lost(.skip, from: 50, to: 70), to: Self.full())
        let twice = try Self.apply(.lost(.skip, from: 80, to: 90), to: once)
        #expect((twice.loss?.lost.from, twice.loss?.lost.to) == (Sample.number(50), Sample.number(90)))
    }

    @Test("A rewind takes back what was vouched for: it goes to before that")
    func rewindVouchesForNothing() throws {
        let vouched = try Self.apply(
            .inStep(InStep(until: Sample.noon)), to: try Self.apply(.lost(.skip), to: Self.full()))
        let rewound = try Self.apply(.rewound(from: 50, to: 40, epoch: 4), to: vouched)
        #expect((rewound.accountedUntil, rewound.lossDeclared) == (nil, nil))
    }

    // MARK: - What is refused by the target

    private static func refused(_ number: Int) throws -> Checkpoint { try apply(.refused(number), to: full()) }

    @Test("A refused record waits while its shard advances, and until a replay has passed it")
    func refusedAndReplayed() throws {
        let advanced = try Self.apply(.advanced(60), to: try Self.refused(55))
        #expect(advanced.refusals.map(\.sequenceNumber) == [Sample.number(55)])
        let rewound = try Self.apply(.rewound(from: 60, to: 55, inclusive: true, epoch: 4), to: advanced)
        #expect(rewound.refusals.count == 1, "the rewind may still be undone")
        let taken = try Self.apply(.status(.prepared, .inProcessing), to: rewound)
        #expect(try Self.apply(.advanced(56), to: taken).refusals.isEmpty)
        let again = try Self.apply(.refused(55), to: taken)
        #expect(try Self.apply(.advanced(56), to: again).refusals.map(\.epoch) == [Epoch(4)], "refused once more")
    }

    @Test("A replay that begins after a refused record leaves it waiting")
    func notReplayed() throws {
        let advanced = try Self.apply(.advanced(60), to: try Self.refused(52))
        let rewound = try Self.apply(.rewound(from: 60, to: 55, epoch: 4), to: advanced)
        let taken = try Self.apply(.status(.prepared, .inProcessing), to: rewound)
        #expect(try Self.apply(.advanced(60), to: taken).refusals.count == 1)
    }

    @Test("A replay from the trim horizon settles what it has read, and not what had left the stream")
    func replayedFromHorizon() throws {
        let advanced = try Self.apply(.advanced(60), to: try Self.refused(55))
        let rewound = try Self.apply(.rewound(from: 60, to: nil, epoch: 4), to: advanced)
        let taken = try Self.apply(.status(.prepared, .inProcessing), to: rewound)
        #expect(try Self.apply(.advanced(60, first: 56), to: taken).refusals.count == 1)
        #expect(try Self.apply(.advanced(60), to: taken).refusals.count == 1, "the target's word is no reading")
        #expect(try Self.apply(.advanced(60, first: 55), to: taken).refusals.isEmpty)
    }

    @Test("Sums that no shard could have are no trap: it is the hash that finds the damage")
    func damagedSums() throws {
        let once = try Self.apply(.advanced(60, records: .max / 100), to: Self.full())
        #expect(throws: Never.self) { try Self.apply(.advanced(61, records: .max / 100), to: once) }
        #expect(Schema.indexed(from: Revision(.max)) <= Revision(.max))
        #expect(Revision(.max).next == .none)
    }

    @Test("Only a refused record that waits is settled")
    func settled() throws {
        let before = try Self.refused(55)
        #expect(try Self.apply(.settled(Position(11)), to: before).refusals.isEmpty)
        #expect(Self.refusal(.settled(Position(12)), to: before) != nil)
    }

    @Test("A sign of life vouches for more, and never for less")
    func signOfLife() throws {
        let later = try Self.apply(.inStep(InStep(until: Sample.noon + .seconds(60))), to: Self.full())
        let earlier = try Self.apply(.inStep(InStep(until: Sample.noon)), to: later)
        #expect(earlier.accountedUntil == Sample.noon + .seconds(60))
        #expect(Self.refusal(.inStep(InStep(until: Sample.noon)), to: Self.full(.prepared)) != nil)
    }

    // MARK: - Fields

    @Test(
        "An event changes the fields that it is about, and clears no other",
        arguments: [
            (.discovered(parent: nil, from: nil, to: 900), ["range"]),
            (.discovered(parent: 8, from: 0), ["parent"]),
            (.queried(worker: "there:2"), ["worker"]),
            (.resolved(.afterSequenceNumber), []),
            (.resolved(.trimHorizon), []),
            (.status(.inProcessing, .done), ["status"]),
            (.faulted(), ["lastFault"]),
            (.advanced(60, time: nil), ["sequenceNumber", "storedIterator", "records", "bytes"]),
            (
                .advanced(60, time: Timestamp(microseconds: 5), token: "t"),
                ["sequenceNumber", "storedIterator", "records", "bytes", "approximateTime", "targetToken"]
            ),
            (
                .rewound(from: 50, to: 40, epoch: 4),
                ["sequenceNumber", "storedIterator", "approximateTime", "epoch", "status"]
            ),
            (.unknown(kind: 31, encoded: [1]), []),
        ] as [(Payload, Set<String>)])
    func fields(payload: Payload, changed: Set<String>) throws {
        let before = Self.full()
        let after = try Self.apply(payload, to: before)
        #expect(Self.changes(before, after) == changed)
        #expect(
            (after.revision, after.position, after.updated) == (Revision(21), Position(11), Sample.noon + .seconds(1)))
    }

    @Test(
        "An iterator obtained at LATEST is kept until a record is durable or the shard is rewound, and not by any other event"
    )
    func storedIterator() throws {
        var checkpoint = Self.full()
        checkpoint.sequenceNumber = nil
        checkpoint.storedIterator = nil
        checkpoint = try Self.apply(.resolved(.latest, iterator: "a"), to: checkpoint)
        let kept = StoredIterator.iterator(ShardIterator("a"), obtained: Sample.noon + .seconds(1))
        #expect((checkpoint.storedIterator, checkpoint.iteratorType) == (kept, .latest))
        let issued = try Self.apply(.resolved(.latest, iterator: "c", issued: Sample.noon), to: checkpoint)
        #expect(
            issued.storedIterator == .iterator(ShardIterator("c"), obtained: Sample.noon),
            "the service's clock is asked first")
        for payload in [
            Payload.resolved(.trimHorizon, iterator: "b"), .queried(), .faulted(), .resolved(.latest, iterator: nil),
        ] {
            checkpoint = try Self.apply(payload, to: checkpoint)
            #expect(checkpoint.storedIterator == kept, "\(payload.kind)")
        }
        #expect(try Self.apply(.advanced(60), to: checkpoint).storedIterator == nil)
        #expect(try Self.apply(.rewound(from: nil, to: nil, epoch: 4), to: checkpoint).storedIterator == nil)
    }

    @Test("A shard that has a sequence number never begins at LATEST again")
    func latestOnce() {
        #expect(
            Self.refusal(.resolved(.latest), to: Self.full())?.rule
                == "a shard with a sequence number never begins at LATEST again")
    }

    @Test("A closed shard keeps its ending")
    func ending() throws {
        let closed = try Self.apply(.discovered(from: nil, to: 900), to: Self.full())
        #expect(
            Self.refusal(.discovered(from: nil, to: 901), to: closed)?.rule
                == "a closed shard keeps its ending sequence number")
        #expect(Self.refusal(.discovered(from: nil, to: nil), to: closed) != nil)
        #expect(Self.refusal(.discovered(from: nil, to: 900), to: closed) == nil)
    }

    @Test("A shard's first event is its discovery")
    func first() {
        for payload in [
            Payload.queried(), .advanced(1), .status(.notProcessed, .prepared), .rewound(from: nil, to: nil, epoch: 1),
        ] {
            #expect(throws: Refusal.self) {
                try Checkpoint.beginning(Sample.key(1), with: payload, position: Position(1), time: Sample.noon)
            }
        }
    }

    @Test("Events of runs and tables are no events of a shard")
    func strangers() {
        for payload in [
            Payload.runStarted(Sample.daemon), .runStopped(RunStopped(reason: "")),
            .tableRemoved(TableRemoved(stream: nil, tableID: nil)), .rowsSwept(RowsSwept(rows: 1)),
            .scanFinished(ScanFinished(items: 1)),
            .repaired(Repaired(written: 1, removed: 1, target: "", author: "")),
        ] {
            #expect(Self.refusal(payload, to: Self.full())?.rule == "it is no event of a shard")
        }
    }

    /// What an event of each kind may change of a checkpoint, besides the revision, the position and the time of it that each
    /// moves (PEERS row 34).
    private static let mayChange: [String: Set<String>] = [
        "shard_discovered": ["parent", "range"],
        "queried": ["worker"],
        "iterator_resolved": ["iteratorType", "storedIterator"],
        "status_changed": ["status", "pause"],
        "sequence_advanced": [
            "sequenceNumber", "iteratorType", "storedIterator", "approximateTime", "targetToken", "records", "bytes",
            "refusals", "importedSince",
        ],
        "faulted": ["lastFault"],
        "rewound": [
            "epoch", "sequenceNumber", "iteratorType", "storedIterator", "approximateTime", "accountedUntil",
            "lossDeclared", "status",
        ],
        "range_lost": ["loss", "iteratorType", "storedIterator", "lossDeclared"],
        "loss_acknowledged": ["loss"],
        "record_refused": ["refusals"],
        "refusal_settled": ["refusals"],
        "in_step": ["accountedUntil"],
        "paused": ["pause"],
        "resumed": ["pause"],
        "imported": ["status", "iteratorType", "sequenceNumber", "approximateTime", "importedSince"],
    ]

    /// The same, with a value in each field that no rule about the next event asks for: what has one can be cleared.
    private static func filled(_ checkpoint: Checkpoint) -> Checkpoint {
        var filled = checkpoint
        filled.parent = filled.parent ?? Sample.shard(9)
        filled.storedIterator = filled.storedIterator ?? .iterator(ShardIterator("kept"), obtained: Sample.noon)
        filled.worker = filled.worker ?? "here:1"
        filled.approximateTime = filled.approximateTime ?? Sample.noon
        filled.targetToken = filled.targetToken ?? TargetToken("4000")
        filled.lastFault = filled.lastFault ?? Checkpoint.Fault(code: "Old", message: "old", time: Sample.noon)
        filled.accountedUntil = filled.accountedUntil ?? Sample.noon
        filled.lossDeclared = filled.lossDeclared ?? Sample.noon
        filled.importedSince = filled.importedSince ?? Sample.noon
        if filled.loss == nil, case .rangeLost(let lost) = Payload.lost(.resync) {
            filled.loss = Loss(lost, time: Sample.noon, position: Position(1))
        }
        if filled.refusals.isEmpty {
            let last = RefusedRecord(position: Position(1), sequenceNumber: Sample.number(8999), epoch: filled.epoch)
            filled.refusals = [last]
        }
        return filled
    }

    @Test("In any history an event changes the fields of its kind, and clears none of another's", arguments: Seeds.all)
    func fieldsInAnyHistory(seed: UInt64) async throws {
        let scratch = Scratch()
        var history = RandomHistory(seed: seed, shards: 6)
        let events = try await Journal.use(scratch.journal) { journal in
            for _ in 1...1500 {
                history.take(try await journal.append(history.next()))
            }
            return try journal.everything()
        }
        var folded: [ShardKey: Checkpoint] = [:]
        var seen: Set<String> = []
        for event in events {
            guard case .shard(let key) = event.subject else { continue }
            guard let before = folded[key] else {
                folded[key] = try Checkpoint.beginning(
                    key, with: event.payload, position: event.position, time: event.time)
                continue
            }
            let after = try before.applying(event)
            folded[key] = after
            let kind = event.payload.kind
            let filled = Self.filled(before)
            let changed = Self.changes(before, after).union(Self.changes(filled, try filled.applying(event)))
            let allowed = try #require(Self.mayChange[kind], "\(kind) is in no row of the table")
            #expect(
                changed.isSubset(of: allowed),
                "SHAKE_SEED=\(seed), position \(event.position): \(kind) changed \(changed.subtracting(allowed).sorted())"
            )
            seen.insert(kind)
            let unknown = try Self.apply(.unknown(kind: 31, encoded: [1]), to: after)
            #expect(Self.changes(after, unknown).isEmpty, "what a newer program appended")
        }
        let unseen = Self.mayChange.keys.filter { !seen.contains($0) && $0 != "shard_discovered" }
        // A fresh seed may leave one out; the fixed ones don't.
        if seed <= 2 { #expect(unseen.isEmpty, "SHAKE_SEED=\(seed): no event of these kinds: \(unseen)") }
    }
}
