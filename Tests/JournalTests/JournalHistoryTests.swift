import StreamModel
import TestSupport
import Testing

@testable import Journal

@Suite("Reading a journal")
struct JournalHistoryTests {
    private let scratch = Scratch()

    @Test("fold(log) is the stored state, for every shard at every position (DESIGN 7, 5)", arguments: Seeds.all)
    func fold(seed: UInt64) async throws {
        var history = RandomHistory(seed: seed, shards: 6)
        /// After each append, how each shard that it was about stood.
        var taken: [(position: Position, checkpoint: Checkpoint)] = []
        for _ in 1...5 {  // reopened in between
            try await Journal.use(scratch.journal) { journal in
                #expect(Set(try journal.checkpoints()) == Set(history.checkpoints.values), "SHAKE_SEED=\(seed)")
                for _ in 1...70 {
                    let receipts = try await journal.append(history.next())
                    history.take(receipts)
                    for receipt in receipts {
                        guard let checkpoint = receipt.checkpoint else { continue }
                        taken.append((checkpoint.position, checkpoint))
                        #expect(try journal.checkpoint(of: checkpoint.shard) == checkpoint, "SHAKE_SEED=\(seed)")
                    }
                }
                _ = try journal.verified()
            }
        }
        try await Journal.use(scratch.journal, .reader) { journal in
            let events = try journal.everything()
            #expect(events.map(\.position.number) == Array(1...UInt64(events.count)))
            var folded: [ShardKey: Checkpoint] = [:]
            for event in events {
                guard case .shard(let key) = event.subject else { continue }
                folded[key] =
                    if let known = folded[key] { try known.applying(event) } else {
                        try Checkpoint.beginning(key, with: event.payload, position: event.position, time: event.time)
                    }
                #expect(folded[key]?.revision == event.revision)
                if event.position.number % 7 == 0 || events.count - Int(event.position.number) < 20 {
                    let then = try journal.checkpoint(of: key, at: event.position)
                    #expect(then == folded[key], "SHAKE_SEED=\(seed), position \(event.position)")
                    let other = folded.keys.sorted()[Int(event.position.number / 7) % folded.count]
                    #expect(
                        try journal.checkpoint(of: other, at: event.position) == folded[other], "SHAKE_SEED=\(seed)")
                }
                if let receipt = taken.first(where: { $0.position == event.position }) {
                    #expect(receipt.checkpoint == folded[key], "SHAKE_SEED=\(seed), position \(event.position)")
                }
            }
            #expect(Set(folded.values) == Set(try journal.checkpoints()), "SHAKE_SEED=\(seed)")
        }
    }

    /// A journal whose shard 1 has `count` events among those of shard 2.
    private func fill(_ count: Int) async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.add(1, .discovered())
            try await journal.add(2, .discovered())
            for number in 1..<max(count, 1) where count > 1 {
                _ = try await journal.append([
                    Draft(
                        shard: Sample.key(1), expecting: Revision(UInt64(number)),
                        [number % 3 == 0 ? .faulted("\(number)") : .queried(worker: "\(number)")]),
                    Draft(shard: Sample.key(2), expecting: Revision(UInt64(number)), [.faulted()]),
                ])
            }
        }
    }

    @Test(
        "A history is whole in both orders, on either side of the index's entries",
        arguments: [1, 2, 31, 32, 33, 63, 64, 65, 100])
    func orders(count: Int) async throws {
        try await fill(count)
        try await Journal.use(scratch.journal, .reader) { journal in
            let expected = try journal.everything().filter { $0.subject == .shard(Sample.key(1)) }
            #expect(expected.map(\.revision) == (1...UInt64(count)).map { Revision($0) })
            #expect(try journal.history(of: Sample.key(1), HistoryQuery()) == expected)
            #expect(try journal.history(of: Sample.key(1), HistoryQuery(newestFirst: true)) == expected.reversed())
            for limit in [0, 1, 31, 32, 33, 99, 1000] {
                #expect(
                    try journal.history(of: Sample.key(1), HistoryQuery(limit: limit)) == Array(expected.prefix(limit)))
                #expect(
                    try journal.history(of: Sample.key(1), HistoryQuery(limit: limit, newestFirst: true))
                        == Array(expected.reversed().prefix(limit)))
            }
        }
    }

    @Test("A history is narrowed by kind and time, and limits count what is left")
    func narrowed() async throws {
        try await fill(70)
        try await Journal.use(scratch.journal, .reader) { journal in
            let all = try journal.history(of: Sample.key(1), HistoryQuery())
            let faults = all.filter { $0.payload.kind == "faulted" }
            #expect(try journal.history(of: Sample.key(1), HistoryQuery(kinds: ["faulted"])) == faults)
            #expect(
                try journal.history(of: Sample.key(1), HistoryQuery(kinds: ["faulted"], limit: 5, newestFirst: true))
                    == Array(faults.reversed().prefix(5)))
            let (since, until) = (all[20].time, all[45].time)
            let within = all.filter { $0.time >= since && $0.time <= until }
            #expect(within.count >= 26)
            #expect(try journal.history(of: Sample.key(1), HistoryQuery(since: since, until: until)) == within)
            #expect(
                try journal.history(of: Sample.key(1), HistoryQuery(since: since, until: until, newestFirst: true))
                    == within.reversed())
            #expect(try journal.checkpoint(of: Sample.key(1), at: until)?.updated == until)
            #expect(try journal.checkpoint(of: Sample.key(1), at: Sample.noon) == nil, "before its discovery")
        }
    }

    @Test("A shard that the journal does not know has no history and no checkpoint")
    func unknown() async throws {
        try await Journal.use(scratch.journal) { journal async throws in
            #expect(try journal.history(of: Sample.key(5), HistoryQuery()) == [])
            #expect(try journal.checkpoint(of: Sample.key(5)) == nil)
            #expect(try journal.checkpoint(of: Sample.key(5), at: Position(1)) == nil)
        }
    }

    @Test("A position after the last one is refused, and the message names the last")
    func noSuchPosition() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.add(1, .discovered())
            let error = failure { () throws(JournalError) in try journal.checkpoint(of: Sample.key(1), at: Position(99))
            }
            #expect(error == .noSuchPosition(Position(99), last: Position(2)))
            #expect(error?.description == "the journal has no position 99: its last is 2")
            #expect(error?.exitCode == 64)
        }
    }

    @Test("The log is read in portions without a gap or a repeat", arguments: [1, 3, 7, 1000])
    func portions(limit: Int) async throws {
        try await fill(12)
        try await Journal.use(scratch.journal, .reader) { journal in
            var read: [Event] = []
            var position = Position.origin
            while true {
                let events = try journal.events(after: position, limit: limit)
                #expect(events.count <= limit)
                guard let last = events.last else { break }
                read += events
                position = last.position
            }
            #expect(read == (try journal.everything()))
            #expect(position == (try journal.lastPosition()))
            #expect(try journal.events(after: Position(.max), limit: limit) == [])
            #expect(try journal.events(after: .origin, limit: 0) == [])
        }
    }

    @Test("A shard is named by its id, by any unique part of it, or by table and part")
    func names() async throws {
        try await Journal.use(scratch.journal) { journal in
            for id in ["shardId-001", "shardId-0012", "shardId-002"] {
                for table in id.hasSuffix("2") ? ["orders", "people"] : ["orders"] {
                    let key = ShardKey(table: TableName(table), stream: Sample.stream, shard: ShardID(id))
                    _ = try await journal.append([Draft(shard: key, expecting: .none, [.discovered()])])
                }
            }
            #expect(
                try journal.shard(matching: "shardId-001").shard.text == "shardId-001",
                "an exact id wins over longer ones")
            #expect(try journal.shard(matching: "orders/shardId-002").description == "orders/shardId-002")
            #expect(try journal.shard(matching: "people/002").description == "people/shardId-002")
            let none = failure { () throws(JournalError) in try journal.shard(matching: "zzz") }
            #expect(none == .noSuchShard(part: "zzz", known: 5))
            #expect(
                none?.description == "no shard's id contains “zzz”: the journal knows 5; `shakectl shards` lists them")
            let several = failure { () throws(JournalError) in try journal.shard(matching: "002") }
            guard case .ambiguousShard("002", let candidates) = several else {
                Issue.record("\(String(describing: several)) names no candidates")
                return
            }
            #expect(candidates.map(\.description) == ["orders/shardId-002", "people/shardId-002"])
            #expect(
                several?.description
                    == "“002” names 2 shards (orders/shardId-002, people/shardId-002): give more of the id, or table/id"
            )
            #expect((none?.exitCode, several?.exitCode) == (64, 64))
            #expect(
                failure { () throws(JournalError) in try journal.shard(matching: "") }?.description.hasSuffix(
                    ", …): give more of the id, or table/id") == true)
        }
    }
}
