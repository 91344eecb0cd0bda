import Foundation
import Glibc
import LMDB
import StreamModel
import TestSupport
import Testing

@testable import Journal

@Suite("Folding the history of shards that are over")
struct HistoryFoldingTests {
    private let scratch = Scratch()
    private let clock = Ticking()
    private static let day = 86_400

    /// Shards one after the other, each followed for four hours to its end, `width` of them at a time; a month passes then.
    private func generations(_ count: Int, width: Int = 1, in path: String? = nil) async throws {
        try await Journal.use(path ?? scratch.journal, clock) { journal in
            for first in stride(from: 1, through: count, by: width) {
                let those = first..<min(first + width, count + 1)
                for shard in those {
                    try await journal.add(
                        shard, [.discovered(parent: shard > width ? shard - width : nil)] + Payload.takenUp)
                }
                for hour in 1...4 {
                    clock.advance(3600)
                    for shard in those {
                        try await journal.add(shard, [.advanced(hour * 10), .advanced(hour * 10 + 1)])
                    }
                }
                for shard in those {
                    try await journal.add(shard, .discovered(parent: shard > width ? shard - width : nil, to: 90))
                    try await journal.add(shard, .status(.inProcessing, .done))
                }
            }
            try await journal.add(count + 1, .discovered(parent: count))
        }
        clock.advance(30 * Self.day)
    }

    // MARK: - What is left

    /// That `folded` says what `plain` says, save that what is left of ordinary events of shards that were over stands for them.
    private func compare(_ plain: Journal, _ folded: Journal, _ comment: Comment) throws -> Int {
        var runs = 0
        #expect(try plain.verified().lastPosition == folded.verified().lastPosition, comment)
        #expect(try plain.checkpoints() == folded.checkpoints(), comment)
        #expect(try plain.tables() == folded.tables(), comment)
        for shard in try plain.checkpoints().map(\.shard) {
            let all = try plain.history(of: shard, HistoryQuery())
            let left = try folded.history(of: shard, HistoryQuery())
            #expect(try folded.history(of: shard, HistoryQuery(newestFirst: true)) == left.reversed(), comment)
            var rest = all[...]
            for event in left {
                let count: Int
                switch event.payload {
                case .advancesFolded(let run): count = Int(run.count)
                case .historyFolded(let run):
                    count = Int(run.count)
                    runs += 1
                    let those = rest.prefix(count)
                    #expect(!those.contains { !$0.payload.isOrdinary }, comment)
                    #expect((those.first?.position, those.last?.position) == (run.first, event.position), comment)
                    #expect(
                        (those.first?.revision, those.last?.revision) == (run.firstRevision, event.revision), comment)
                    #expect((those.first?.time, those.last?.time) == (run.since, event.time), comment)
                    #expect(try run.checkpoint == plain.checkpoint(of: shard, at: event.position), comment)
                    #expect(run.lastAdvance == those.last { $0.payload.kind == "sequence_advanced" }?.position, comment)
                default:
                    #expect(rest.first == event, comment)
                    count = 1
                }
                rest = rest.dropFirst(count)
            }
            #expect(rest.isEmpty, comment)
            for event in all.enumerated().filter({ $0.offset % (all.count / 20 + 1) == 0 }).map(\.element) {
                let then = try folded.standing(of: shard, at: event.position)
                guard let gone = then.folded else {
                    #expect(try then.checkpoint == plain.checkpoint(of: shard, at: event.position), comment)
                    continue
                }
                let first = try #require(gone.payload.firstPosition, comment)
                #expect(first <= event.position && event.position < gone.position, comment)
                #expect(then.checkpoint?.revision.next ?? Revision(1) == gone.firstRevision, comment)
            }
        }
        return runs
    }

    @Test("What is left says the same, whatever was appended and whenever it was folded", arguments: Seeds.all)
    func twins(seed: UInt64) async throws {
        var history = RandomHistory(seed: seed, shards: 14)
        var random = SeededGenerator(seed: seed &+ 1)
        var runs = 0
        try await Journal.use(scratch.path + "/plain", clock) { plain in
            try await Journal.use(scratch.path + "/folded", clock) { folded in
                for round in 1...8 {
                    for _ in 1...40 {
                        clock.advance(Int.random(in: 0...9000, using: &random))
                        let drafts = history.next()
                        history.take(try await plain.append(drafts))
                        _ = try await folded.append(drafts)
                    }
                    let limit = [5, 64, 1024].randomElement(using: &random) ?? 1
                    let now = clock.now + .seconds(Int.random(in: 0...12, using: &random) * Self.day)
                    try folded.compactAll(now, limit: limit)
                    let comment: Comment = "SHAKE_SEED=\(seed), round \(round), limit \(limit)"
                    runs += try compare(plain, folded, comment)
                    #expect(try folded.compactAll(now, limit: limit).folded == 0, comment)
                }
                let everything = try folded.everything()
                for number in stride(from: 1, to: try folded.lastPosition().number, by: 29) {
                    let after = Position(number)
                    #expect(
                        try folded.events(after: after, limit: .max) == everything.filter { $0.position > after },
                        "SHAKE_SEED=\(seed)")
                }
            }
        }
        // Reopened, it is the same, and goes on.
        try await Journal.use(scratch.path + "/plain", clock) { plain in
            try await Journal.use(scratch.path + "/folded", clock) { folded in
                for _ in 1...40 {
                    let drafts = history.next()
                    history.take(try await plain.append(drafts))
                    _ = try await folded.append(drafts)
                }
                _ = try compare(plain, folded, "SHAKE_SEED=\(seed)")
            }
        }
        // In a fresh history hardly a shard may end: 4005137064469721394 is such a seed.
        #expect(runs > 2 || !Seeds.fixed.contains(seed), "SHAKE_SEED=\(seed)")
    }

    @Test("Of a shard that is over one event is left after a week, with what it brought, and before that all of them")
    func aWeek() async throws {
        try await generations(3)
        clock.advance(-30 * Self.day + 6 * Self.day)
        try await Journal.use(scratch.journal, clock) { journal in
            _ = try await journal.compact()
            let kinds = try journal.history(of: Sample.key(2), HistoryQuery()).map(\.payload.kind)
            #expect(!kinds.contains("history_folded") && kinds.contains("queried"))
            clock.advance(2 * Self.day)
            #expect(try journal.compactable().folded > 0)
            let report = try await journal.compact()
            #expect(report.freedBytes > 1000)
            let left = try journal.history(of: Sample.key(2), HistoryQuery())
            #expect(left.count == 1)
            guard case .historyFolded(let life)? = left.first?.payload else { return }
            #expect(try journal.checkpoint(of: Sample.key(2)) == life.checkpoint)
            #expect((life.checkpoint.status, life.checkpoint.records) == (.done, 8))
            #expect(life.firstRevision == Revision(1) && left.first?.revision == life.checkpoint.revision)
            // The one that goes on has all of its own.
            #expect(try journal.history(of: Sample.key(4), HistoryQuery()).map(\.payload.kind) == ["shard_discovered"])
            // It is found by its time and as an advance, like what it was made of.
            #expect(try journal.history(of: Sample.key(2), HistoryQuery(kinds: ["sequence_advanced"])) == left)
            #expect(
                try journal.history(of: Sample.key(2), HistoryQuery(since: life.since, until: life.since)) == left)
            #expect(try journal.verified().shards == 4)
        }
    }

    @Test("What an operator did, what was lost and what was refused stays, word by word")
    func deeds() async throws {
        try await Journal.use(scratch.journal, clock) { journal in
            try await journal.add(1, [.discovered()] + Payload.takenUp + [.advanced(10)])
            let refused = try await journal.add(1, .refused(11))
            try await journal.add(1, .settled(refused.position))
            try await journal.add(1, .lost(.skip))
            try await journal.add(1, .acknowledged())
            // Of one or two events less would be left than they are.
            try await journal.add(1, .advanced(20), .faulted(), .faulted(), .faulted(), .faulted(), .faulted())
            try await journal.add(1, .rewound(from: 20, to: 10, epoch: 1))
            try await journal.add(1, .queried(), .resolved(.afterSequenceNumber), .status(.prepared, .inProcessing))
            try await journal.add(1, .advanced(30), .faulted(), .faulted(), .status(.inProcessing, .done))
            try await journal.add(2, .discovered(parent: 1))
            clock.advance(9 * Self.day)
            _ = try await journal.compact()
            #expect(
                try journal.history(of: Sample.key(1), HistoryQuery()).map(\.payload.kind) == [
                    "history_folded", "record_refused", "refusal_settled", "range_lost", "loss_acknowledged",
                    "history_folded", "rewound", "history_folded",
                ])
            _ = try journal.verified()
        }
    }

    @Test("A shard whose events are folded can be rewound, and what comes then is history again")
    func rewinding() async throws {
        try await generations(3)
        try await Journal.use(scratch.journal, clock) { journal in
            _ = try await journal.compact()
            let first = try journal.history(of: Sample.key(2), HistoryQuery()).first?.payload.firstPosition
            let then = try journal.standing(of: Sample.key(2), at: try #require(first).next)
            #expect(then.checkpoint == nil && then.folded != nil)
            // A sequence number within it is a place as it ever was.
            let plan = try RewindPlan.make(
                RewindRequest(place: .sequenceNumber(Sample.number(21)), inclusive: false, reason: "", author: "me"),
                of: Sample.key(2), among: try journal.checkpoints())
            _ = try await journal.append(plan.drafts)
            #expect(try journal.checkpoint(of: Sample.key(2))?.sequenceNumber == Sample.number(21))
            #expect(
                try journal.history(of: Sample.key(2), HistoryQuery()).map(\.payload.kind) == [
                    "history_folded", "rewound",
                ])
            #expect(try journal.history(of: Sample.key(3), HistoryQuery()).map(\.payload.kind).last == "rewound")
            _ = try journal.verified()
            clock.advance(30 * Self.day)
            #expect(try await journal.compact().folded == 0, "it is not over")
            _ = try journal.verified()
        }
    }

    @Test("Many shards side by side have little more than one run each, and one after the other stretches stay short")
    func stretches() async throws {
        for (width, most) in [(1, FoldedStretch.manyRuns), (90, FoldedStretch.mostRuns)] {
            let path = scratch.path + "/\(width)"
            try await generations(360, width: width, in: path)
            try await Journal.use(path, clock) { journal in
                try journal.compactAll(clock.now, limit: 50)
                var runs: [Int] = []
                try journal.store.read { (snapshot) throws(JournalError) in
                    try snapshot.forEach(in: journal.store.schema.log) { (_, value) throws(JournalError) in
                        if case .folded(let stretch)? = WireFormat.decodeEntry(value) {
                            runs.append(stretch.runs.count)
                        }
                        return true
                    }
                }
                #expect(runs.reduce(0, +) < 360 * 5 / 4, "\(runs)")
                #expect(runs.allSatisfy { $0 <= most }, "\(runs)")
                #expect(try journal.verified().folded > 360 * 10)
            }
        }
    }

    // MARK: - Crashes and damage

    @Test("An entry of the index that leads to another shard's events is seen, however many are looked up at a time")
    func misled() async throws {
        try await generations(40, width: 4)
        try await Journal.use(scratch.journal, clock) { _ = try $0.compactAll(clock.now, limit: 1000) }
        let tampering = Tampering(path: scratch.journal)
        func read() throws -> [(key: [UInt8], value: [UInt8])] {
            var entries: [(key: [UInt8], value: [UInt8])] = []
            try tampering.write { (transaction, schema) throws(LMDBError) in
                try transaction.forEach(in: schema.index) { (key, value) throws(LMDBError) in
                    entries.append(([UInt8](key), [UInt8](value)))
                    return true
                }
            }
            return entries
        }
        func put(_ value: [UInt8], for key: [UInt8]) throws {
            try tampering.write { (transaction, schema) throws(LMDBError) in
                try transaction.put(value, for: key, in: schema.index)
            }
        }
        let limits = [1, 2, 7, 1000]
        func counts() throws -> [UInt64?] {
            let store = try Journal.open(scratch.journal, .reader, mapSize: 64 << 20).store
            return limits.map { limit in
                try? store.read { (snapshot) throws(JournalError) in
                    try IndexCheck.entries(store, snapshot, limit: limit)
                }
            }
        }
        let entries = try read()
        #expect(entries.count == 41)
        #expect(try counts() == limits.map { _ in 41 })
        let (first, last) = try (#require(entries.first), #require(entries.last))
        for (one, other) in Array(zip(entries, entries.dropFirst())) + [(first, last)] {
            try put(other.value, for: one.key)
            #expect(try counts() == limits.map { _ in nil })
            try put(one.value, for: one.key)
        }
        #expect(try counts() == limits.map { _ in 41 })
    }

    @Test("Ended between any two transactions, the journal is whole and goes on to the same end")
    func ended() async throws {
        try await generations(40, width: 4)
        var last: [Event] = []
        for count in 0...9 {
            let path = scratch.path + "/copy"
            try scratch.copy(scratch.journal, to: path)
            try await Journal.use(path, clock, .steward(Sample.steward)) { journal in
                var compactor = Compactor(journal.store, now: clock.now, limit: 60)
                for _ in 0..<count { _ = try compactor.step() }
                _ = try journal.verified()
                _ = try Journal.open(path, .reader, mapSize: 64 << 20).verified()
            }
            try await Journal.use(path, clock, .steward(Sample.steward)) { journal in
                try journal.compactAll(clock.now, limit: 1024)
                _ = try journal.verified()
                let events = try journal.history(of: Sample.key(17), HistoryQuery())
                #expect(events.count == 1 && (last.isEmpty || events == last), "after \(count) transactions")
                last = events
            }
        }
    }

    @Test("Killed at any moment of a compaction beside appends, the journal is whole", arguments: Seeds.all)
    func killed(seed: UInt64) async throws {
        try await generations(40, width: 3)
        let (path, now) = (scratch.journal, clock.now.microseconds)
        for round in 0..<4 as Range<UInt64> {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, seed = seed &+ round as UInt64, now = now as Int64] in
                try await Compactor.runUntilKilled(path, Timestamp(microseconds: now), seed: seed, beside: 41)
            }
            try await Journal.use(scratch.journal, clock) { _ = try $0.verified() }
        }
        try await Journal.use(scratch.journal, clock) { journal in
            _ = try await journal.compact()
            #expect(try journal.verified().folded > 400)
        }
    }

    @Test("Verifying beside compactions finds no damage, wherever they come in", arguments: [7, 64])
    func verifying(limit: Int) async throws {
        try await generations(60, width: 4)
        try await Journal.use(scratch.journal, clock) { journal in
            var compactor = Compactor(journal.store, now: clock.now, limit: limit)
            for _ in 0..<20 {
                _ = try Verifier(journal.store, stretch: 37).verify { _ in _ = try? compactor.step() }
                _ = try compactor.step()
            }
            _ = try journal.verified()
        }
    }

    @Test("After a flipped bit in what is left, verify or the opening names it")
    func flipped() async throws {
        try await generations(5)
        try await Journal.use(scratch.journal, clock) { _ = try $0.compactAll(clock.now, limit: 1000) }
        let whole = try File.bytes(scratch.journal + "/data.mdb")
        var found: (key: Position, bytes: Int)?
        let journal = try Journal.open(scratch.journal, .reader, mapSize: 64 << 20)
        try journal.store.read { (snapshot) throws(JournalError) in
            try snapshot.forEach(in: journal.store.schema.log) { (key, value) throws(JournalError) in
                if case .folded(let stretch)? = WireFormat.decodeEntry(value), stretch.isHistory {
                    found = (stretch.first, value.count)
                }
                return true
            }
        }
        let (key, bytes) = try #require(found)
        let path = scratch.path + "/copy"
        try scratch.copy(scratch.journal, to: path)
        for bit in stride(from: 0, to: 8 * bytes, by: 41) {
            try File.write(whole, to: path + "/data.mdb")
            try Tampering(path: path).write { (transaction, schema) throws(LMDBError) in
                var value = try transaction.value(for: Schema.key(key), in: schema.log) ?? []
                value[bit / 8] ^= 1 << UInt8(bit % 8)
                try transaction.put(value, for: Schema.key(key), in: schema.log)
            }
            let error = failure { () throws(JournalError) in
                _ = try Journal.open(path, .reader, mapSize: 64 << 20).verified()
            }
            #expect(error?.exitCode == 65, "bit \(bit)")
        }
    }

    @Test("What is left is written as journal.proto says, and must say of itself what can be")
    func wire() throws {
        var runs: [FoldedStretch.Run] = []
        for (index, position) in [5, 6, 7, 8].enumerated() as EnumeratedSequence<[UInt64]> {
            let stream = index == 3 ? StreamARN("another") : Sample.stream
            let name = ShardKey(table: Sample.table, stream: stream, shard: Sample.shard(index))
            let payload = Payload.discovered(parent: index == 1 ? nil : 9, to: index == 2 ? 7 : nil)
            let checkpoint = try Checkpoint.beginning(
                name, with: payload, position: Position(position), time: Sample.noon)
            let envelope = WireFormat.Envelope(
                position: Position(position), time: Sample.noon, run: RunID(Position(1)), shard: UInt32(index + 1),
                revision: Revision(1), previous: .origin, table: nil)
            runs.append(FoldedStretch.Run(envelope, .history(checkpoint, lastAdvance: nil)))
        }
        let hash = ChainHash.zero
        let stretch = FoldedStretch(
            runs, from: Position(5), to: Position(8), writer: RunID(Position(1)), before: hash, after: hash)
        var writer = WireWriter()
        WireFormat.encode(stretch, onto: &writer)
        guard case .folded(let read)? = WireFormat.decodeEntry(writer.written.span) else {
            Issue.record("it can't be read")
            return
        }
        #expect(read == stretch)
        #expect(
            read.runs.map { $0.naming?.stream } == [Sample.stream, Sample.stream, Sample.stream, StreamARN("another")])
        // A state that stands elsewhere than its run ends is none.
        let early = try Checkpoint.beginning(
            Sample.key(1), with: .discovered(), position: Position(4), time: Sample.noon)
        let wrong = FoldedStretch.Run(
            shard: 1, previous: .origin, first: Position(5), firstRevision: Revision(1), since: Sample.noon, count: 1,
            last: Position(5), time: Sample.noon, rest: .history(early, lastAdvance: nil))
        #expect(
            FoldedStretch(
                first: Position(5), last: Position(5), writer: RunID(Position(1)), before: hash, after: hash,
                runs: [wrong]) == nil)
    }
}
