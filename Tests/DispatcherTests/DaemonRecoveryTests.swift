import Dispatcher
import Journal
import StreamModel
import Synchronization
import Targets
import Testing

/// DESIGN 4.5; DESIGN 7, invariants 1 to 4 and 6.
@Suite("A daemon recovers", .serialized, .timeLimit(.minutes(2)))
struct DaemonRecoveryTests {
    /// A parent that is read in three pages, and two children.
    ///
    ///     a 1…6 ─┬─ b 7…10
    ///            └─ c 11…14
    private func family(of rig: Rig) {
        rig.source.add(
            FakeShard("a", 1...6, isClosed: true, pageSize: 2), FakeShard("b", parent: "a", 7...10, pageSize: 2),
            FakeShard("c", parent: "a", 11...14, pageSize: 2))
    }

    private func isComplete(_ journal: Journal) throws -> Bool {
        try journal.number(of: "b") == 10 && journal.number(of: "c") == 14
    }

    /// The steps that a whole run takes; the crashes below go beyond it, also where a busy machine has idle shards polled more
    /// often meanwhile.
    private static let steps = 1...96

    @Test(
        "Wherever it is killed, the next run loses nothing, and a target that keeps positions gets nothing twice",
        arguments: steps)
    func killedWithPositions(step: Int) async throws {
        let rig = Rig(storesPositions: true)
        family(of: rig)
        try await rig.crash(Rig.following, at: Fuse(steps: step))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try isComplete(daemon.journal) }
        }
        #expect(rig.target.numbers(of: "a") == Array(1...6))
        #expect(rig.target.numbers(of: "b") == Array(7...10))
        #expect(rig.target.numbers(of: "c") == Array(11...14))
        try rig.journal { _ = try $0.verify { _ in } }
    }

    @Test("Any other target gets at most the batch again that was in its hands", arguments: steps)
    func killedWithoutPositions(step: Int) async throws {
        let rig = Rig()
        family(of: rig)
        try await rig.crash(Rig.following, at: Fuse(steps: step))
        let held = rig.target.applied
        let journaled = try rig.journal { journal in
            try ["a", "b", "c"].reduce(into: [:]) { $0[$1] = try journal.number(of: $1) ?? 0 }
        }
        try await rig.run { daemon in
            try await eventually("all is journaled") { try isComplete(daemon.journal) }
        }
        for (shard, numbers) in ["a": Array(1...6), "b": Array(7...10), "c": Array(11...14)] {
            let before = held.filter { $0.shard == shard }
            let ahead = before.filter { ($0.numbers.last ?? 0) > journaled[shard] ?? 0 }
            #expect(ahead.count <= 1, "one batch a shard is the most that the journal lags behind")
            let after = Array(rig.target.numbers(of: shard).dropFirst(before.flatMap(\.numbers).count))
            #expect(after == numbers.filter { $0 > journaled[shard] ?? 0 }, "it goes on exactly from the journal")
            #expect(before.flatMap(\.numbers) == Array(numbers.prefix(before.flatMap(\.numbers).count)))
        }
    }

    @Test("The crashes of these tests reach to the end of a whole run")
    func reach() async throws {
        let rig = Rig()
        family(of: rig)
        let fuse = Fuse()
        rig.source.use(fuse)
        rig.target.use(fuse)
        var taken = 0
        try await rig.run { daemon in
            try await eventually("all is journaled") { try isComplete(daemon.journal) }
            taken = fuse.steps
        }
        #expect(taken > 20)
        #expect(taken < Self.steps.upperBound)
    }

    @Test("Killed again and again, it still comes to the end")
    func killedOften() async throws {
        let rig = Rig(storesPositions: true)
        family(of: rig)
        for _ in 1...8 { try await rig.crash(Rig.following, at: Fuse(steps: 9)) }
        try await rig.run { daemon in
            try await eventually("all is journaled") { try isComplete(daemon.journal) }
        }
        #expect(rig.target.numbers.sorted() == Array(1...14))
    }

    /// A shard of which the journal holds four records, and the target two more.
    private func targetAtSix() async throws -> Rig {
        let rig = Rig(storesPositions: true)
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        var contents = rig.target.contents
        contents.positions[Sample.key("a")] = ShardPosition(
            shard: Sample.key("a"), epoch: .first, sequenceNumber: Sample.number(6))
        rig.target.restore(contents)
        return rig
    }

    /// A shard that was followed until 4, and the target as it was then.
    private func backedUpAtFour() async throws -> (rig: Rig, backup: RecordingTarget.Contents) {
        let rig = Rig(storesPositions: true)
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("the backup's part is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        return (rig, rig.target.contents)
    }

    @Test("Where the target is ahead the journal is advanced to it, and nothing is read again")
    func targetAhead() async throws {
        let rig = try await targetAtSix()
        rig.source.put(5...8, in: "a")
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 8 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 7, 8])
        #expect(rig.source.calls(.iterator, of: "a").last?.number == Sample.number(6))
    }

    @Test("A target that was restored from a backup gets exactly what it lacks, children after their parent")
    func restored() async throws {
        let (rig, backup) = try await backedUpAtFour()
        rig.source.put(5...6, in: "a")
        rig.source.close("a")
        rig.source.add(FakeShard("b", parent: "a", 7...9))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "b") == 9 }
        }
        rig.target.restore(backup)
        try await rig.run { daemon in
            try await eventually("all is journaled again") {
                try daemon.journal.number(of: "b") == 9 && rig.target.numbers.count == 9
            }
        }
        #expect(rig.target.numbers == Array(1...9))
        try rig.journal { journal in
            let rewinds = try journal.everything().filter { $0.payload.kind == "rewound" }
            #expect(rewinds.compactMap(\.shard) == ["a", "b"])
            _ = try journal.verify { _ in }
        }
    }

    /// The parent's replay is in the backup, over what the child had brought.
    @Test("A target that was restored from within a replay gets all of the replay that it lacks again")
    func restoredWithinReplay() async throws {
        let rig = Rig(storesPositions: true)
        rig.source.add(FakeShard("a", 1...3, isClosed: true), FakeShard("b", parent: "a", 4...9))
        func read() async throws {
            try await rig.run { daemon in
                try await eventually("all is journaled") {
                    try daemon.journal.number(of: "b") == 9 && daemon.journal.status(of: "a") == .done
                }
            }
        }
        try await read()
        try await rig.asOperator { try await $0.rewind(Sample.key("a"), to: .start) }
        let gate = rig.target.hold { $0.shard == "b" && $0.epoch == 1 }
        let backup = Mutex(RecordingTarget.Contents())
        try await rig.run { daemon in
            try await eventually("the parent is replayed, and the child about to be") { gate.arrivals == 1 }
            backup.withLock { $0 = rig.target.contents }
            gate.open()
            try await eventually("the child is replayed") { try daemon.journal.number(of: "b") == 9 }
        }
        rig.target.restore(backup.withLock { $0 })
        let held = rig.target.applied.count
        try await rig.run { daemon in
            try await eventually("the child is replayed again") {
                let checkpoint = try daemon.journal.checkpoint(of: Sample.key("b"))
                return checkpoint?.epoch == Epoch(2) && checkpoint?.sequenceNumber == Sample.number(9)
            }
        }
        #expect(rig.target.applied.dropFirst(held).flatMap(\.numbers) == Array(4...9))
        try await read()
        #expect(rig.target.applied.dropFirst(held).flatMap(\.numbers) == Array(4...9), "and no more than once")
    }

    @Test("What a restored target lacks and the stream no longer has is a loss, and the table says so")
    func restoredTooFar() async throws {
        let (rig, backup) = try await backedUpAtFour()
        rig.source.put(5...8, in: "a")
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 8 }
        }
        rig.target.restore(backup)
        rig.source.change("a") { $0.trimmed = 6 }
        let outcome = try await rig.run { daemon in
            try await eventually("the daemon ends, for it has no other table") { daemon.hasEnded }
        }
        guard case .failure(.rangeLost(let table, _, let lost)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(table == Sample.table)
        #expect((lost.from, lost.to) == (Sample.number(4), Sample.number(7)))
        #expect(rig.target.numbers == [1, 2, 3, 4])
    }

    @Test("Of a stream that is over, a restored target gets what it lacks, before the next stream's first record")
    func restoredAtTheEndOfAStream() async throws {
        let (rig, backup) = try await backedUpAtFour()
        rig.source.put(5...6, in: "a")
        rig.source.close("a")
        try await rig.run { daemon in
            try await eventually("the stream is read") { try daemon.journal.status(of: "a") == .done }
        }
        rig.target.restore(backup)
        let newer = StreamARN("\(Sample.stream)-newer")
        rig.source.add(FakeShard("n", 7...9).moved(to: newer))
        rig.source.change(Sample.table) { ($0.stream, $0.olderStreams) = (newer, [$0.stream]) }
        var configuration = Rig.following
        configuration.onLoss = LossPolicies(.skip)
        try await rig.run(configuration) { daemon in
            try await eventually("the newer stream is followed") { rig.target.numbers(of: "n") == [7, 8, 9] }
        }
        #expect(rig.target.numbers == Array(1...9))
    }

    @Test("A restored target that lacks what an older stream has brought needs a full sync, and says so")
    func restoredFromBeforeAStream() async throws {
        let (rig, backup) = try await backedUpAtFour()
        let (newer, shard) = (StreamARN("\(Sample.stream)-newer"), FakeShard("n", 7...9))
        rig.source.put(5...6, in: "a")
        rig.source.close("a")
        rig.source.add(shard.moved(to: newer))
        rig.source.change(Sample.table) { ($0.stream, $0.olderStreams) = (newer, [$0.stream]) }
        var configuration = Rig.following
        configuration.onLoss = LossPolicies(.skip)
        let key = ShardKey(table: Sample.table, stream: newer, shard: ShardID("n"))
        try await rig.run(configuration) { daemon in
            try await eventually("the newer stream is followed") {
                try daemon.journal.checkpoint(of: key)?.sequenceNumber == Sample.number(9)
            }
        }
        rig.target.restore(backup)
        let outcome = try await rig.run(configuration) { daemon in
            try await eventually("the daemon ends, for it has no other table") { daemon.hasEnded }
        }
        guard case .failure(.needsFullSync(_, let reason)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains("of the table's older stream \(Sample.stream)"))
        #expect(try rig.journal { try $0.table(Sample.table)?.phase } == .fullSync)
    }

    @Test("An emptied target of a table that was never scanned is filled from the shards' starts")
    func emptied() async throws {
        let rig = Rig(storesPositions: true)
        family(of: rig)
        try await rig.run { daemon in
            try await eventually("all is journaled") { try isComplete(daemon.journal) }
        }
        rig.target.restore(RecordingTarget.Contents())
        try await rig.run { daemon in
            try await eventually("all is written again") {
                try isComplete(daemon.journal) && rig.target.numbers.count == 14
            }
        }
        #expect(rig.target.numbers.sorted() == Array(1...14))
        #expect(rig.target.numbers.prefix(6) == [1, 2, 3, 4, 5, 6])
    }

    @Test("A target from before a shard's first record gets that shard from its start, and nothing else again")
    func restoredFromBeforeAShard() async throws {
        let rig = Rig(storesPositions: true)
        var configuration = Rig.following
        configuration.mode = .all
        rig.source.change(Sample.table) { $0.items = ["item-1", "item-2"] }
        rig.source.add(FakeShard("b"))
        try await rig.run(configuration) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.status(of: "b") == .inProcessing }
            rig.source.put(1...4, in: "b")
            try await eventually("all is journaled") { try daemon.journal.number(of: "b") == 4 }
        }
        let backup = rig.target.contents
        rig.source.close("b")
        // By its name the child comes before its parent.
        rig.source.add(FakeShard("a", parent: "b", 5...9))
        try await rig.run(configuration) { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        rig.target.restore(backup)
        try await rig.run(configuration) { daemon in
            try await eventually("all is written again") {
                try daemon.journal.number(of: "a") == 9 && rig.target.numbers.count == 9
            }
        }
        #expect(rig.target.numbers == Array(1...9))
        #expect(rig.target.items().count == 2, "nothing is scanned again")
    }

    @Test("A rewind of a shard that was over before the scan is no matter of recovery")
    func rewoundFromBeforeTheScan() async throws {
        let rig = Rig(storesPositions: true)
        var configuration = Rig.following
        configuration.mode = .all
        rig.source.change(Sample.table) { $0.items = ["item-1", "item-2"] }
        rig.source.add(FakeShard("a"))
        try await rig.run(configuration) { daemon in
            try await eventually("the stream is followed") { try daemon.journal.status(of: "a") == .inProcessing }
            rig.source.put(1...6, in: "a")
            rig.source.close("a")
            try await eventually("the shard is done") { try daemon.journal.status(of: "a") == .done }
        }
        rig.target.restore(RecordingTarget.Contents())
        for phase in [Phase.fullSync, .incrSync] {
            try await rig.run(configuration) { daemon in
                try await eventually("the table is in \(phase)") {
                    try daemon.journal.table(Sample.table)?.phase == phase
                }
            }
        }
        try await rig.asOperator { try await $0.rewind(Sample.key("a"), to: .sequenceNumber(Sample.number(4))) }
        try await rig.run(configuration) { daemon in
            try await eventually("the shard is done again") { try daemon.journal.status(of: "a") == .done }
        }
        #expect(rig.target.numbers == [5, 6])
    }

    @Test("The same for a shard that began more than a day ago needs a full sync: its start may be gone")
    func restoredFromLongBefore() async throws {
        let rig = Rig(storesPositions: true)
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        rig.target.restore(RecordingTarget.Contents())
        let outcome = try await rig.run(ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("the daemon ends") { daemon.hasEnded }
        }
        guard case .failure(.needsFullSync) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test("A target that was filled by recovery alone is missed when it is emptied")
    func emptiedAfterAdvance() async throws {
        let rig = Rig(storesPositions: true)
        rig.source.add(FakeShard("a", 1...4))
        let (shard, epoch) = (Sample.key("a"), Epoch.first)
        var ahead = RecordingTarget.Contents()
        ahead.positions[shard] = ShardPosition(shard: shard, epoch: epoch, sequenceNumber: Sample.number(4))
        rig.target.restore(ahead)
        rig.source.fail(.iterator, with: .named("InternalServerError", status: 500), times: 1)
        for _ in 1...2 {
            try await rig.run { daemon in
                try await eventually("the journal is advanced") { try daemon.journal.number(of: "a") == 4 }
            }
        }
        #expect(rig.target.numbers == [])
        rig.target.restore(RecordingTarget.Contents())
        try await rig.run { daemon in
            try await eventually("it is filled") { rig.target.numbers == [1, 2, 3, 4] }
        }
    }

    @Test("What the target holds beyond the journal is no part of a loss, and what follows is read on after it")
    func lossBehindAdvance() async throws {
        let rig = try await targetAtSix()
        rig.source.change("a") {
            $0.put(5...9)
            $0.trimmed = 7
        }
        var configuration = Rig.following
        configuration.onLoss = LossPolicies(.skip)
        try await rig.run(configuration) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "a") == 9 }
        }
        #expect(rig.target.numbers == [1, 2, 3, 4, 8, 9])
        let losses = try rig.journal { try $0.everything() }.compactMap { event in
            if case .rangeLost(let lost) = event.payload { lost } else { nil }
        }
        #expect(losses.map(\.from) == [Sample.number(6)])
        #expect(losses.map(\.to) == [Sample.number(8)])
    }

    @Test(
        "A target that was restored behind an operator's rewind to the start makes a loss of what left the stream meanwhile"
    )
    func restoredBehindRewind() async throws {
        let rig = Rig(storesPositions: true)
        rig.source.add(FakeShard("a", 1...4))
        try await rig.run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        let backup = rig.target.contents
        let later = Duration.seconds(24 * 3600)
        rig.source.change("a") { $0.put(5...8, at: .now() + later) }
        try await rig.run(ahead: later) { daemon in
            try await eventually("more is journaled") { try daemon.journal.number(of: "a") == 8 }
        }
        try await rig.asOperator { try await $0.rewind(Sample.key("a"), to: .start) }
        rig.target.restore(backup)
        rig.source.change("a") { $0.trimmed = 6 }
        try await rig.run(Rig.following(onLoss: .skip), ahead: .seconds(25 * 3600)) { daemon in
            try await eventually("what is left is journaled") { try daemon.journal.number(of: "a") == 8 }
        }
        #expect(try rig.loss()?.lost.cause == .stoodStill)
    }

    @Test("A target that is opened is told every token that the journal holds as durable")
    func tokens() async throws {
        let rig = Rig()
        rig.source.add(FakeShard("a", 1...4), FakeShard("b", 5...8))
        try await rig.run { daemon in
            try await eventually("all is journaled") {
                try daemon.journal.number(of: "a") == 4 && daemon.journal.number(of: "b") == 8
            }
        }
        try await rig.run { _ in try await eventually("it is opened") { rig.target.tokens.count == 2 } }
        #expect(rig.target.tokens.first == [])
        #expect(rig.target.tokens.last?.map(\.text).sorted() == ["batch 1", "batch 2"])
    }

    @Test("Tokens stand in the journal in the order in which the target gave them")
    func tokensInOrder() async throws {
        let rig = Rig()
        let names = (1...8).map { "shard-\($0)" }
        for name in names { rig.source.add(FakeShard(name, 1...6, pageSize: 2)) }
        try await rig.run { daemon in
            try await eventually("all is journaled") { try names.allSatisfy { try daemon.journal.number(of: $0) == 6 } }
        }
        let tokens = try rig.journal { try $0.everything().compactMap(\.advance?.targetToken?.text) }
        #expect(tokens == (1...rig.target.applied.count).map { "batch \($0)" })
    }
}
