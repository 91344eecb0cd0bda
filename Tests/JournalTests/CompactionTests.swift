import Foundation
import Glibc
import LMDB
import StreamModel
import Synchronization
import TestSupport
import Testing

@testable import Journal

@Suite("Folding old advances together")
struct CompactionTests {
    private let scratch = Scratch()
    private let clock = Ticking()

    /// Two journals that are appended the same, at the same times; only one is compacted.
    private func twins(_ body: (_ plain: Journal, _ folded: Journal) async throws -> Void) async throws {
        try await Journal.use(scratch.path + "/plain", clock) { plain in
            try await Journal.use(scratch.path + "/folded", clock) { folded in try await body(plain, folded) }
        }
    }

    /// Appends by chance to both, many of them advances, with times between seconds and hours apart.
    private func append(
        _ count: Int, _ history: inout RandomHistory, _ random: inout SeededGenerator, _ journals: Journal...
    ) async throws {
        for _ in 0..<count {
            clock.advance(
                Int.random(in: 0...9, using: &random) == 0
                    ? Int.random(in: 0...9000, using: &random) : Int.random(in: 0...120, using: &random))
            var drafts = history.next()
            let shards = history.checkpoints.filter { $0.value.status == .inProcessing }.sorted { $0.key < $1.key }
            if Int.random(in: 0...9, using: &random) > 1, let (_, shard) = shards.randomElement(using: &random) {
                let past = shard.sequenceNumber.flatMap { Int($0.text.suffix(4)) }.map { $0 - 1000 } ?? 0
                guard past < 7900 else { continue }
                let steps = Int.random(in: 1...16, using: &random)
                drafts = [
                    Draft(
                        shard: shard.shard, expecting: shard.revision,
                        (1...steps).map { .advanced(past + $0, time: $0 % 3 == 0 ? nil : clock.now) })
                ]
            }
            for (index, journal) in journals.enumerated() {
                let receipts = try await journal.append(drafts)
                if index == 0 { history.take(receipts) }
            }
        }
    }

    /// That `folded` says what `plain` says, save that runs of advances stand for what they were made of.
    private func compare(_ plain: Journal, _ folded: Journal, _ comment: Comment) throws {
        #expect(try plain.verified().lastPosition == folded.verified().lastPosition, comment)
        #expect(try plain.checkpoints() == folded.checkpoints(), comment)
        #expect(try plain.tables() == folded.tables(), comment)
        for shard in try plain.checkpoints().map(\.shard) {
            let all = try plain.history(of: shard, HistoryQuery())
            let left = try folded.history(of: shard, HistoryQuery())
            #expect(try folded.history(of: shard, HistoryQuery(newestFirst: true)) == left.reversed(), comment)
            #expect(
                try folded.history(of: shard, HistoryQuery(limit: 3, newestFirst: true))
                    == Array(left.reversed().prefix(3)), comment)
            var rest = all[...]
            for event in left {
                guard case .advancesFolded(let run) = event.payload else {
                    #expect(rest.first == event, comment)
                    rest = rest.dropFirst()
                    continue
                }
                let those = rest.prefix(Int(run.count))
                rest = rest.dropFirst(Int(run.count))
                let advances = those.compactMap { if case .sequenceAdvanced(let a) = $0.payload { a } else { nil } }
                #expect(advances.count == Int(run.count), comment)
                #expect((those.first?.position, those.last?.position) == (run.first, event.position), comment)
                #expect((those.first?.revision, those.last?.revision) == (run.firstRevision, event.revision), comment)
                #expect((those.first?.time, those.last?.time) == (run.since, event.time), comment)
                #expect(those.allSatisfy { $0.run == event.run }, comment)
                #expect(advances.last?.sequenceNumber == run.advance.sequenceNumber, comment)
                #expect(advances.reduce(0) { $0 + $1.records } == run.advance.records, comment)
                #expect(advances.reduce(0) { $0 + $1.bytes } == run.advance.bytes, comment)
                #expect(advances.compactMap(\.approximateTime).last == run.advance.approximateTime, comment)
                #expect(advances.compactMap(\.targetToken).last == run.advance.targetToken, comment)
            }
            #expect(rest.isEmpty, comment)
            // At each position that is kept the fold is what it was; within a run it is that of one before it, and says so.
            for event in all.enumerated().filter({ $0.offset % (all.count / 40 + 1) == 0 }).map(\.element) {
                let then = try folded.standing(of: shard, at: event.position)
                let truth = try plain.checkpoint(of: shard, at: event.position)
                guard let gone = then.folded else {
                    #expect(then.checkpoint == truth, comment)
                    continue
                }
                guard case .advancesFolded(let run) = gone.payload else {
                    Issue.record("\(gone) is no run", sourceLocation: #_sourceLocation)
                    continue
                }
                #expect(run.first <= event.position && event.position < gone.position, comment)
                let before = try #require(then.checkpoint, comment)
                #expect(before.revision.next == run.firstRevision, comment)
                #expect(try plain.checkpoint(of: shard, at: before.position) == before, comment)
            }
        }
    }

    @Test("What is left says the same, whatever was appended and whenever it was folded", arguments: Seeds.all)
    func twins(seed: UInt64) async throws {
        var history = RandomHistory(seed: seed, shards: 5)
        var random = SeededGenerator(seed: seed &+ 1)
        var gone: UInt64 = 0
        try await twins { plain, folded in
            for round in 1...6 {
                try await append(60, &history, &random, plain, folded)
                let limit = [13, 64, 1024].randomElement(using: &random) ?? 1
                // The last time of nearly all, so that each history has something to fold.
                let foresight = round == 6 ? 60 : Int.random(in: 0...60, using: &random)
                let now = clock.now + .seconds(foresight * 3600)
                let report = try folded.compactAll(now, limit: limit)
                gone += report.folded
                let comment: Comment = "SHAKE_SEED=\(seed), round \(round), limit \(limit), \(foresight) h ahead"
                try compare(plain, folded, comment)
                #expect(try folded.compactAll(now, limit: limit).folded == 0, comment)
                #expect(try folded.verified().folded == gone, comment)
                #expect(try folded.verified().events + gone == plain.verified().events, comment)
            }
            // Read in portions from anywhere, folded or not, each event comes once.
            let everything = try folded.everything()
            for limit in [1, 3, 50] {
                var (read, position): ([Event], Position) = ([], .origin)
                while let last = try folded.events(after: position, limit: limit).last {
                    read += try folded.events(after: position, limit: limit)
                    position = last.position
                }
                #expect(read == everything, "SHAKE_SEED=\(seed)")
            }
            for number in stride(from: 1, to: try folded.lastPosition().number, by: 53) {
                let after = Position(number)
                #expect(
                    try folded.events(after: after, limit: .max) == everything.filter { $0.position > after },
                    "SHAKE_SEED=\(seed)")
            }
        }
        #expect(gone > 200, "SHAKE_SEED=\(seed): only \(gone) were folded")
        // Reopened, it is the same, and goes on.
        try await Journal.use(scratch.path + "/folded", clock) { journal in
            #expect(Set(try journal.checkpoints()) == Set(history.checkpoints.values), "SHAKE_SEED=\(seed)")
            try await append(20, &history, &random, journal)
            _ = try journal.verified()
        }
    }

    /// A shard that advanced six times an hour, for so many days: in one append, or ten minutes apart.
    private func steady(days: Int, apart: Bool = false) async throws {
        try await Journal.use(scratch.journal, clock) { journal in
            try await journal.add(1, [.discovered()] + Payload.takenUp)
            let each = apart ? 1 : 6
            for number in stride(from: 1, through: days * 144, by: each) {
                clock.advance(600 * each)
                try await journal.add(1, (number..<number + each).map { .advanced($0) })
            }
        }
    }

    @Test("One advance an hour stays, and all of the last 48 hours")
    func hourly() async throws {
        try await steady(days: 5, apart: true)
        try await Journal.use(scratch.journal, clock) { journal in
            let before = try journal.history(of: Sample.key(1), HistoryQuery(kinds: ["sequence_advanced"]))
            let foreseen = try journal.compactable()
            let report = try await journal.compact()
            #expect(report.folded == 72 * 5 - 1)  // at the first hour's beginning nothing was there yet
            #expect((foreseen.folded, foreseen.position) == (report.folded, report.position))
            #expect(report.freedBytes > 0)
            let after = try journal.history(of: Sample.key(1), HistoryQuery())
            let advances = after.filter { $0.payload.kind == "sequence_advanced" }
            #expect(Set(advances).isSubset(of: before))
            #expect(advances.filter { $0.time < clock.now + .seconds(-48 * 3600) }.count == 72)
            #expect(advances.suffix(288) == before.suffix(288))
            #expect(after.filter { $0.payload.kind == "advances_folded" }.count == 72)
            // Folded advances are advances to whoever asks for those, and in the time that they were in.
            let kinds = HistoryQuery(kinds: ["sequence_advanced"], limit: 4)
            #expect(try journal.history(of: Sample.key(1), kinds).map(\.payload.kind).contains("advances_folded"))
            let run = try #require(after.first { $0.payload.kind == "advances_folded" })
            let within = HistoryQuery(since: run.time + .seconds(-60), until: run.time + .seconds(-30))
            #expect(try journal.history(of: Sample.key(1), within) == [run])
            let newest = HistoryQuery(until: run.time, kinds: ["sequence_advanced"], limit: 1, newestFirst: true)
            #expect(try journal.history(of: Sample.key(1), newest) == [run])
            // At the time of one that is gone, the one before is what is known.
            let then = try journal.standing(of: Sample.key(1), at: run.time + .seconds(-30))
            #expect(then.folded == run)
            #expect(try #require(then.checkpoint).updated < run.time)
            #expect(try journal.standing(of: Sample.key(1), at: run.time).folded == nil)
            _ = try journal.verified()
        }
    }

    @Test("The newest event stays, however old the journal is")
    func newest() async throws {
        try await steady(days: 1)
        clock.advance(100 * 86_400)
        try await Journal.use(scratch.journal, clock, .steward(Sample.steward)) { journal in
            let last = try journal.lastPosition()
            #expect(try await journal.compact().folded > 100)
            #expect(try journal.lastPosition() == last)
            #expect(
                try journal.events(after: Position(last.number - 1), limit: 9).first?.payload.kind
                    == "sequence_advanced")
            #expect(try journal.verified().lastPosition == last)
            // An append goes on from there, and the next compaction takes it along.
            try await journal.add(1, .advanced(2000))
            clock.advance(100 * 86_400)
            _ = try await journal.compact()
            _ = try journal.verified()
        }
    }

    @Test("Damage is refused before anything is folded, and named by its position")
    func damaged() async throws {
        try await steady(days: 4)
        let journal = try Journal.open(scratch.journal, .reader, mapSize: 64 << 20)
        try Tampering(path: scratch.journal).write { (transaction, schema) throws(LMDBError) in
            let key = Schema.key(Position(40))
            var value = try transaction.value(for: key, in: schema.log) ?? []
            value[value.count / 2] ^= 4
            try transaction.put(value, for: key, in: schema.log)
        }
        let error = failure { () throws(JournalError) in
            var compactor = Compactor(journal.store, now: clock.now, limit: 30)
            _ = try compactor.step()
            _ = try compactor.step()
        }
        guard case .damaged(_, Position(40), _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("After a flipped bit in any entry that is left, verify or the opening names it")
    func flipped() async throws {
        try await steady(days: 4)
        try await Journal.use(scratch.journal, clock) { _ = try $0.compactAll(clock.now, limit: 1000) }
        let whole = try File.bytes(scratch.journal + "/data.mdb")
        var keys: [(UInt64, Int)] = []
        let journal = try Journal.open(scratch.journal, .reader, mapSize: 64 << 20)
        try journal.store.read { (snapshot) throws(JournalError) in
            try snapshot.forEach(in: journal.store.schema.log) { (key, value) throws(JournalError) in
                keys.append((Schema.position(key)?.number ?? 0, value.count))
                return true
            }
        }
        for (index, (key, count)) in keys.enumerated() where index % 7 == 0 || index < 20 {
            let path = scratch.path + "/copy"
            try scratch.copy(scratch.journal, to: path)
            for bit in [0, 8 * 17, 4 * count, 8 * count - 1] {
                try File.write(whole, to: path + "/data.mdb")
                try Tampering(path: path).write { (transaction, schema) throws(LMDBError) in
                    let place = Schema.key(Position(key))
                    var value = try transaction.value(for: place, in: schema.log) ?? []
                    value[bit / 8] ^= 1 << UInt8(bit % 8)
                    try transaction.put(value, for: place, in: schema.log)
                }
                let error = failure { () throws(JournalError) in
                    _ = try Journal.open(path, .reader, mapSize: 64 << 20).verified()
                }
                guard case .damaged(_, let position?, _) = error else {
                    Issue.record("bit \(bit) of \(key): \(String(describing: error))")
                    continue
                }
                #expect(position == Position(key) || bit < 128 && position > Position(key), "bit \(bit) of \(key)")
            }
        }
    }

    @Test("A folded stretch that is missing, or an entry of the index, is seen")
    func missing() async throws {
        try await steady(days: 4)
        try await Journal.use(scratch.journal, clock) { _ = try $0.compactAll(clock.now, limit: 1000) }
        let path = scratch.path + "/copy"
        try scratch.copy(scratch.journal, to: path)
        let tampering = Tampering(path: path)
        var stretches: [Position] = []
        var entries: [[UInt8]] = []
        try tampering.write { (transaction, schema) throws(LMDBError) in
            try transaction.forEach(in: schema.log) { (key, value) throws(LMDBError) in
                if case .folded(let stretch)? = WireFormat.decodeEntry(value) { stretches.append(stretch.first) }
                return true
            }
            try transaction.forEach(in: schema.index) { (key, _) throws(LMDBError) in
                entries.append([UInt8](key))
                return true
            }
        }
        #expect(stretches.count > 40)
        #expect(entries.count > 10)
        for (index, entry) in entries.enumerated() {
            var value: [UInt8] = []
            try tampering.write { (transaction, schema) throws(LMDBError) in
                value = try transaction.value(for: entry, in: schema.index) ?? []
                try transaction.remove(entry, in: schema.index)
            }
            let journal = try Journal.open(path, .reader, mapSize: 64 << 20)
            #expect(failure { () throws(JournalError) in try journal.verified() }?.exitCode == 65)
            if index > 0 {
                #expect(
                    failure { () throws(JournalError) in try journal.history(of: Sample.key(1), HistoryQuery()) }?
                        .exitCode
                        == 65)
            }
            try tampering.write { (transaction, schema) throws(LMDBError) in
                try transaction.put(value, for: entry, in: schema.index)
            }
        }
        _ = try Journal.open(path, .reader, mapSize: 64 << 20).verified()
        try tampering.write { (transaction, schema) throws(LMDBError) in
            try transaction.remove(Schema.key(stretches[3]), in: schema.log)
        }
        #expect(
            failure { () throws(JournalError) in try Journal.open(path, .reader, mapSize: 64 << 20) }?.exitCode == 65)
    }

    @Test("Ended between any two transactions, the journal is whole and goes on to the same end")
    func ended() async throws {
        try await steady(days: 4)
        for count in 1...8 {
            let path = scratch.path + "/copy"
            try scratch.copy(scratch.journal, to: path)
            try await Journal.use(path, clock) { journal in
                var compactor = Compactor(journal.store, now: clock.now, limit: 40)
                for _ in 0..<count { _ = try compactor.step() }
                await journal.abandon()
                #expect(try await journal.compact().folded == 0, "what is closed is left alone")
            }
            try await Journal.use(path, clock) { journal in
                _ = try journal.verified()
                _ = try await journal.compact()
                // Where it was ended within an hour, one advance more stays of it.
                #expect(try journal.verified().folded >= 47 * 5 - 2)
                #expect(try await journal.compact().folded == 0)
            }
        }
    }

    @Test("Killed at any moment of a compaction beside appends, the journal is whole", arguments: Seeds.all)
    func killed(seed: UInt64) async throws {
        try await steady(days: 6)
        let (path, now) = (scratch.journal, clock.now.microseconds)
        for round in 0..<5 as Range<UInt64> {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, seed = seed &+ round as UInt64, now = now as Int64] in
                try await Compactor.runUntilKilled(path, Timestamp(microseconds: now), seed: seed, beside: 1)
            }
            try await Journal.use(scratch.journal, clock) { _ = try $0.verified() }
        }
        try await Journal.use(scratch.journal, clock) { journal in
            _ = try await journal.compact()
            #expect(try journal.verified().folded > 96 * 4)
        }
    }

    @Test("The crash point is passed after each transaction, and a closed journal goes no further")
    func crashPoint() async throws {
        try await steady(days: 18)
        try await Journal.use(scratch.journal, clock) { journal in
            let passed = Mutex(0)
            clock.duringCompaction {
                passed.withLock { $0 += 1 }
                await journal.abandon()
            }
            let report = try await journal.compact()
            #expect(passed.withLock { $0 } == 1)
            #expect(report.folded > 0)
            _ = try journal.verified()
        }
        clock.duringCompaction {}
        let rest = try await Journal.use(scratch.journal, clock) { try await $0.compact() }
        #expect(rest.folded > 800)
    }

    @Test("A writer beside it has nothing to load anew, and hears of no foreign append")
    func beside() async throws {
        try await steady(days: 4)
        let journal = try Journal.open(
            scratch.journal, .daemon(Sample.daemon), mapSize: 64 << 20, surroundings: clock.surroundings)
        try await journal.add(1, .advanced(4000))
        let steward = try Journal.open(
            scratch.journal, .steward(Sample.steward), mapSize: 64 << 20, surroundings: clock.surroundings)
        #expect(try await steward.compact().folded > 100)
        #expect(try await journal.foreignAppends() == [])
        try await journal.add(1, .advanced(4001))
        #expect(try await steward.compact().folded == 0)
        #expect(try await journal.foreignAppends() == [])
        // What somebody did append is told of as before.
        try await steward.add(1, .advanced(4002))
        #expect(try await journal.foreignAppends() == [.shard(Sample.key(1))])
        _ = try journal.verified()
        await steward.close(reason: "done")
        await journal.close(reason: "done")
    }

    @Test("Verifying beside compactions finds no damage, wherever they come in", arguments: [7, 64])
    func verifying(limit: Int) async throws {
        try await steady(days: 6)
        try await Journal.use(scratch.journal, clock) { journal in
            var compactor = Compactor(journal.store, now: clock.now, limit: limit)
            for _ in 0..<20 {
                _ = try Verifier(journal.store, stretch: 37).verify { _ in _ = try? compactor.step() }
                _ = try compactor.step()
            }
            _ = try journal.verified()
        }
    }

    @Test("A rewind to a position among folded advances goes to the checkpoint before them")
    func rewinding() async throws {
        try await steady(days: 4)
        try await Journal.use(scratch.journal, clock) { journal in
            _ = try await journal.compact()
            let run = try #require(
                try journal.history(of: Sample.key(1), HistoryQuery(kinds: ["advances_folded"])).first)
            guard case .advancesFolded(let folded) = run.payload else { return }
            let then = try journal.standing(of: Sample.key(1), at: folded.first)
            #expect(then.folded == run)
            let plan = try RewindPlan.make(
                RewindRequest(
                    place: .checkpoint(try #require(then.checkpoint)), inclusive: false, reason: "", author: "me"),
                of: Sample.key(1), among: try journal.checkpoints())
            #expect(try #require(plan.to) < folded.advance.sequenceNumber)
            _ = try await journal.append(plan.drafts)
            _ = try journal.verified()
        }
    }

    @Test("A folded stretch is written as journal.proto says, and each flipped bit of it is seen")
    func wire() throws {
        var chain = ChainHash.zero
        var stretch: FoldedStretch?
        var runs: [UInt32: Int] = [:]
        for position in 5...44 as ClosedRange<UInt64> {
            let shard = UInt32(position % 3 + 1)
            let envelope = WireFormat.Envelope(
                position: Position(position), time: Sample.noon + .seconds(Int(position)), run: RunID(Position(1)),
                shard: shard, revision: Revision(position / 3 + 30), previous: Position(position - 3), table: nil)
            let payload = Payload.advanced(
                Int(position), time: position % 2 == 0 ? nil : Sample.noon, token: "t\(position)")
            let (_, hash) = chained(encoded(envelope, payload), after: chain)
            let run = FoldedStretch.Run(envelope, .advance(try #require(payload.advance)))
            if stretch == nil {
                stretch = FoldedStretch(
                    [run], from: envelope.position, to: envelope.position, writer: envelope.run, before: chain,
                    after: hash)
                runs = stretch?.index ?? [:]
            } else {
                #expect(stretch?.append([run], to: envelope.position, after: hash, &runs) == true)
            }
            chain = hash
        }
        let made = try #require(stretch)
        #expect(made.runs.count == 3 && made.count == 40 && made.after == chain)
        var writer = WireWriter()
        WireFormat.encode(made, onto: &writer)
        let value = writer.written
        guard case .folded(let read)? = WireFormat.decodeEntry(value.span) else {
            Issue.record("it can't be read")
            return
        }
        #expect(read == made)
        let isWhole = WireFormat.isWhole(value.span)
        #expect(isWhole)
        #expect(WireFormat.decodeEvent(value) == nil)
        for bit in 0..<8 * value.count {
            var damaged = value
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let isWhole = WireFormat.isWhole(damaged.span)
            #expect(!isWhole, "bit \(bit)")
        }
    }

    @Test("Under steady load the file grows by what stays for ever, and by nothing else", .timeLimit(.minutes(3)))
    func steadyLoad() async throws {
        var sizes: [Int] = []
        try await Journal.use(scratch.journal, clock) { journal in
            var shard = try await journal.add(1, [.discovered()] + Payload.takenUp)
            var number = 0
            for _ in 1...3 {
                for _ in 1...30 * 24 {
                    // An advance every thirty seconds, told an hour later.
                    clock.advance(3600)
                    let advances = (1...120).map { Payload.sequenceAdvanced(Self.advance(number + $0)) }
                    let receipts = try await journal.append([
                        Draft(shard: shard.shard, expecting: shard.revision, advances)
                    ])
                    shard = try #require(receipts.first?.checkpoint)
                    number += 120
                    if number % 2880 == 0 { try journal.compactAll(clock.now, limit: 1024) }
                }
                sizes.append(journal.store.environment.usedBytes)
            }
            #expect(try journal.verified().folded == UInt64(119 * (30 * 24 * 3 - 49)))
        }
        print("a month of 86,400 advances: \(sizes) bytes in use after each")
        // An advance and a folded stretch of each hour, on pages that deletions leave a quarter full: a twelfth of what was
        // appended.
        #expect(sizes[2] - sizes[1] < 86_400 * 116 / 10, "\(sizes)")
    }

    private static func advance(_ number: Int) -> SequenceAdvanced {
        guard let sequence = SequenceNumber(String(1_000_000_000_000_000_000 + number)) else {
            preconditionFailure("no sequence number")
        }
        return SequenceAdvanced(
            sequenceNumber: sequence, records: 10, bytes: 4000, approximateTime: Sample.noon, targetToken: nil)
    }
}
