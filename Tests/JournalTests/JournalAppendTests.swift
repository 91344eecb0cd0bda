import Dispatch
import Glibc
import LMDB
import StreamModel
import Synchronization
import Testing

@testable import Journal

@Suite("Appending to a journal")
struct JournalAppendTests {
    private let scratch = Scratch()

    @Test("A run begins with its start and ends with its stop, and its events bear its number")
    func runs() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.add(1, .discovered())
            #expect(try journal.lastDaemonRun() == Sample.daemon)
        }
        try await Journal.use(scratch.journal, .reader) { journal in
            let events = try journal.everything()
            #expect(
                events.map(\.payload) == [
                    .runStarted(Sample.daemon), .discovered(), .runStopped(RunStopped(reason: "the test ends")),
                ])
            #expect(events.map(\.run) == [RunID(Position(1)), RunID(Position(1)), RunID(Position(1))])
            #expect(events.map(\.subject) == [.run, .shard(Sample.key(1)), .run])
            #expect(events.map(\.revision) == [nil, Revision(1), nil])
            #expect(try journal.verified() == VerifyReport(events: 3, shards: 1, lastPosition: Position(3)))
        }
        try await Journal.use(scratch.journal) { journal in
            try await journal.add(1, .queried())
            #expect(try journal.everything().last?.run == RunID(Position(4)))
        }
    }

    @Test("A receipt says where the draft's last event stands, and how its shard stands then")
    func receipts() async throws {
        try await Journal.use(scratch.journal) { journal in
            let receipts = try await journal.append([
                Draft(shard: Sample.key(1), expecting: .none, [.discovered(), .queried()]),
                Draft(table: Sample.table, [.scanFinished(ScanFinished(items: 1))]),
                Draft(shard: Sample.key(2), expecting: .none, [.discovered(parent: 1)]),
                Draft(shard: Sample.key(1), expecting: Revision(2), [.faulted()]),
            ])
            #expect(receipts.map(\.position) == [3, 4, 5, 6].map { Position($0) })
            #expect(receipts.map { $0.checkpoint?.revision } == [Revision(2), nil, Revision(1), Revision(3)])
            #expect(receipts[3].checkpoint == (try journal.checkpoint(of: Sample.key(1))))
            #expect(receipts[2].checkpoint == (try journal.checkpoint(of: Sample.key(2))))
            #expect(try journal.table(Sample.table) == (try journal.tables()).first)
            #expect(try journal.table(Sample.table)?.position == Position(4))
            #expect(try journal.table(TableName("other")) == nil)
        }
    }

    @Test(
        "An append that expects another revision than the shard's is a conflict, and leaves nothing",
        arguments: [0, 1, 3] as [UInt64])
    func conflict(expected: UInt64) async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.add(1, .discovered(), .queried())
            let before = try journal.everything()
            let error = await failure { () async throws(JournalError) in
                try await journal.append([Draft(shard: Sample.key(1), expecting: Revision(expected), [.faulted()])])
            }
            #expect(error == .conflict(shard: Sample.key(1), expected: Revision(expected), found: Revision(2)))
            #expect(error?.description.contains("orders/shardId-00001 is at revision 2, not \(expected)") == true)
            #expect(error?.exitCode == 75)
            #expect(try journal.everything() == before)
        }
    }

    @Test("Of several drafts all land or none, whichever cannot follow", arguments: 0..<3)
    func allOrNothing(bad: Int) async throws {
        try await Journal.use(scratch.journal) { journal in
            for shard in 1...3 { try await journal.add(shard, .discovered()) }
            let before = (try journal.everything(), try journal.checkpoints())
            let drafts = (0..<3).map { index in
                Draft(
                    shard: Sample.key(index + 1), expecting: Revision(1),
                    [.queried(), index == bad ? .advanced(1) : .faulted()])
            }
            let error = await failure { () async throws(JournalError) in try await journal.append(drafts) }
            guard case .refused(let refusal) = error else {
                Issue.record("\(String(describing: error)) is no refusal")
                return
            }
            #expect((refusal.shard, refusal.kind) == (Sample.key(bad + 1), "sequence_advanced"))
            #expect(error?.exitCode == 65)
            #expect(try journal.everything() == before.0)
            #expect(try journal.checkpoints() == before.1)
            try await journal.add(2, .faulted())
            _ = try journal.verified()
        }
    }

    // 1 ─▶ 2
    @Test(
        "A child is not given up before its parent is over: that may have been set back meanwhile, by whoever did not see it"
    )
    func childIsNotLost() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 5, done: true)
            try await journal.add(2, .discovered(parent: 1), .status(.notProcessed, .waitingForParent))
            let lost = [Payload.lost(.skip, .shardGone, from: nil), .status(.waitingForParent, .lost)]
            try await journal.add(1, .rewound(from: 5, to: nil, epoch: 1))
            let error = await failure { () async throws(JournalError) in
                try await journal.append([Draft(shard: Sample.key(2), expecting: Revision(2), lost)])
            }
            #expect(error?.description.contains("must be done first") == true)
            try await journal.add(1, .status(.prepared, .lost))
            _ = try await journal.append([Draft(shard: Sample.key(2), expecting: Revision(2), lost)])
            // What was lost before its parent is set back again is set back with it, and needs no other order.
            try await journal.add(2, .acknowledged())
        }
    }

    // 1 ─▶ 2
    @Test("A child is not taken up before its parent is done, and is from then on")
    func childWaits() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 5)
            try await journal.add(2, .discovered(parent: 1))
            let child = Draft(shard: Sample.key(2), expecting: Revision(1), Payload.takenUp)
            let error = await failure { () async throws(JournalError) in try await journal.append([child]) }
            #expect(
                error?.description.contains("its parent shardId-00001 is in_processing, and must be done first") == true
            )
            let parent = try #require(try journal.checkpoint(of: Sample.key(1)))
            _ = try await journal.append([
                Draft(shard: Sample.key(1), expecting: parent.revision, [.status(.inProcessing, .done)]), child,
            ])
            #expect(try journal.checkpoint(of: Sample.key(2))?.status == .inProcessing)
        }
    }

    @Test("A child whose parent the journal does not know, or does not need, may start")
    func orphan() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(2, parent: 1, upTo: 5)
            try await journal.add(3, .discovered(), .status(.notProcessed, .notNeeded))
            try await journal.follow(4, parent: 3, upTo: 5)
            _ = try journal.verified()
        }
    }

    // 1 ─▶ 2 ─▶ 3
    @Test("A parent is not rewound alone once a child has begun, but with all its descendants in one append")
    func cascade() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50, done: true)
            try await journal.follow(2, parent: 1, upTo: 60, done: true)
            try await journal.follow(3, parent: 2, upTo: 70)
            let revisions = try journal.checkpoints().map(\.revision)
            let drafts = [
                Draft(shard: Sample.key(1), expecting: revisions[0], [.rewound(from: 50, to: 40, epoch: 1)]),
                Draft(shard: Sample.key(2), expecting: revisions[1], [.rewound(from: 60, to: nil, root: 1, epoch: 1)]),
                Draft(shard: Sample.key(3), expecting: revisions[2], [.rewound(from: 70, to: nil, root: 1, epoch: 1)]),
            ]
            for (count, begun) in [(1, 2), (2, 3)] {
                let error = await failure { () async throws(JournalError) in
                    try await journal.append(Array(drafts.prefix(count)))
                }
                #expect(
                    error?.description.contains(
                        "its child shardId-0000\(begun) has begun, and must be set back with it") == true)
            }
            _ = try await journal.append(drafts)
            #expect(try journal.checkpoints().map(\.status) == [.prepared, .waitingForParent, .waitingForParent])
            _ = try journal.verified()
        }
    }

    @Test("A parent whose children have not begun is rewound alone")
    func untouchedChild() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50, done: true)
            try await journal.add(2, .discovered(parent: 1))
            try await journal.add(1, .rewound(from: 50, to: 40, epoch: 1))
            #expect(try journal.checkpoint(of: Sample.key(1))?.status == .prepared)
        }
    }

    @Test("Of many appenders each lands in its order, and what is refused fails alone")
    func groupCommit() async throws {
        let (appenders, rounds) = (64, 5)
        try await Journal.use(scratch.journal) { journal in
            _ = try await journal.append(
                (0..<appenders).map {
                    Draft(shard: Sample.key($0), expecting: .none, [.discovered()] + Payload.takenUp)
                })
            let refused = try await withThrowingTaskGroup { group in
                for shard in 0..<appenders {
                    group.addTask { @concurrent in
                        var refused = 0
                        for round in 1...rounds {
                            try await journal.add(shard, .advanced(round))
                            // Once more the same number, which can't follow.
                            if await failure({ () async throws(JournalError) in
                                try await journal.append([
                                    Draft(
                                        shard: Sample.key(shard), expecting: Revision(UInt64(round + 4)),
                                        [.advanced(round)])
                                ])
                            })?.exitCode == 65 {
                                refused += 1
                            }
                        }
                        return refused
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(refused == appenders * rounds)
            for shard in 0..<appenders {
                let numbers = try journal.history(of: Sample.key(shard), HistoryQuery(kinds: ["sequence_advanced"]))
                    .map(\.payload)
                #expect(numbers == (1...rounds).map { .advanced($0) })
            }
            _ = try journal.verified()
        }
    }

    @Test("What waits for a commit goes into the next one together, the good beside the bad")
    func oneCommit() async throws {
        let appenders = 64
        try await Journal.use(scratch.journal) { journal async throws in
            let environment = journal.store.environment
            let before = environment.lastTransaction
            let asked = Count()
            // Another writer holds LMDB's lock until all have asked.
            async let other: Void = withCheckedContinuation { continuation in
                DispatchQueue.global().async {
                    try? environment.write { (_: inout WriteTransaction) throws(LMDBError) in
                        asked.number.add(1, ordering: .sequentiallyConsistent)
                        while asked.number.load(ordering: .sequentiallyConsistent) <= appenders { sched_yield() }
                    }
                    continuation.resume()
                }
            }
            while asked.number.load(ordering: .sequentiallyConsistent) == 0 { await Task.yield() }
            let failures = await withTaskGroup { group in
                for shard in 0..<appenders {
                    group.addTask { @concurrent in
                        asked.number.add(1, ordering: .sequentiallyConsistent)
                        return await failure { () async throws(JournalError) in
                            // Every fourth can't follow: it is no discovery.
                            try await journal.append([
                                Draft(
                                    shard: Sample.key(shard), expecting: .none,
                                    [shard % 4 == 0 ? .faulted() : .discovered()])
                            ])
                        }
                    }
                }
                return await group.reduce(into: [JournalError]()) { if let error = $1 { $0.append(error) } }
            }
            await other
            #expect(failures.map(\.exitCode) == Array(repeating: 65, count: appenders / 4))
            #expect(try journal.checkpoints().count == appenders * 3 / 4)
            // One for whoever came first, one for all that waited, and room for a straggler.
            #expect(environment.lastTransaction - before <= 4)
        }
    }

    private final class Count: Sendable {
        let number = Atomic(0)
    }

    @Test("Appends asked for one after the other are logged in that order")
    func order() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.add(1, [.discovered()] + Payload.takenUp)
            // Not one of them is waited for before the next is asked for; each expects the one before it.
            let results = await withTaskGroup { group in
                for number in 1...50 {
                    group.addTask {
                        await failure { () async throws(JournalError) in
                            try await journal.append([
                                Draft(
                                    shard: Sample.key(1), expecting: Revision(UInt64(number + 3)), [.advanced(number)])
                            ])
                        }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 == nil ? 1 : 0 }
            }
            // Tasks may overtake each other before they ask; what was accepted is a run without a gap.
            let numbers = try journal.history(of: Sample.key(1), HistoryQuery(kinds: ["sequence_advanced"])).map(
                \.payload)
            #expect(numbers == (1...50).prefix(results).map { .advanced($0) })
        }
    }

    @Test("A steward's appends are the daemon's conflict, and are named to it once")
    func steward() async throws {
        try await Journal.use(scratch.journal) { daemon in
            try await daemon.follow(1, upTo: 50)
            try await daemon.follow(2, upTo: 50)
            #expect(try await daemon.foreignAppends() == [])
            let seen = try #require(try daemon.checkpoint(of: Sample.key(1)))
            try await Journal.use(scratch.journal, .steward(Sample.steward)) { steward in
                try await steward.add(1, .rewound(from: 50, to: 40, epoch: 1))
            }
            #expect(try await daemon.foreignAppends() == [.shard(Sample.key(1))])
            #expect(try await daemon.foreignAppends() == [])
            let error = await failure { () async throws(JournalError) in
                try await daemon.append([Draft(shard: seen.shard, expecting: seen.revision, [.advanced(60)])])
            }
            #expect(error == .conflict(shard: seen.shard, expected: seen.revision, found: seen.revision.next))
            try await daemon.add(2, .advanced(60))
            try await daemon.add(1, .status(.prepared, .inProcessing), .advanced(41))
            #expect(try await daemon.foreignAppends() == [], "its own are not foreign")
            let runs = try daemon.everything().filter { if case .runStarted = $0.payload { true } else { false } }
            #expect(runs.map(\.payload) == [.runStarted(Sample.daemon), .runStarted(Sample.steward)])
            _ = try daemon.verified()
        }
    }

    @Test("A conflict that the daemon meets before it asks is named to it all the same")
    func conflictFirst() async throws {
        try await Journal.use(scratch.journal) { daemon in
            try await daemon.follow(1, upTo: 50)
            try await daemon.follow(2, upTo: 50)
            let seen = try #require(try daemon.checkpoint(of: Sample.key(1)))
            try await Journal.use(scratch.journal, .steward(Sample.steward)) { steward in
                try await steward.add(1, .rewound(from: 50, to: 40, epoch: 1))
            }
            _ = await failure { () async throws(JournalError) in
                try await daemon.append([Draft(shard: seen.shard, expecting: seen.revision, [.advanced(60)])])
            }
            #expect(try await daemon.foreignAppends() == [.shard(Sample.key(1))])
        }
    }

    @Test("A steward that appends nothing leaves no trace, not even where its append was refused")
    func idleSteward() async throws {
        try await Journal.use(scratch.journal) { try await $0.follow(1, upTo: 50) }
        let before = try File.bytes(scratch.journal + "/data.mdb")
        try await Journal.use(scratch.journal, .steward(Sample.steward)) { steward in
            _ = await failure { () async throws(JournalError) in
                try await steward.append([
                    Draft(shard: Sample.key(1), expecting: .none, [.rewound(from: 50, to: 4, epoch: 1)])
                ])
            }
        }
        #expect(try File.bytes(scratch.journal + "/data.mdb") == before)
    }

    @Test("Another process appends beside this one, both to the end, and each is told of the other's")
    func twoProcesses() async throws {
        let path = scratch.journal
        try await Journal.use(path) { daemon in
            try await daemon.add(1, [.discovered()] + Payload.takenUp)
            async let child = #expect(processExitsWith: .success) { [path = path as String] in
                try await Journal.use(path, .steward(Sample.steward)) { steward in
                    try await steward.add(2, [.discovered()] + Payload.takenUp)
                    for number in 1...100 { try await steward.add(2, .advanced(number)) }
                }
            }
            for number in 1...100 { try await daemon.add(1, .advanced(number)) }
            _ = await child
            #expect(try await daemon.foreignAppends() == [.shard(Sample.key(2))])
            #expect(try daemon.checkpoints().map(\.sequenceNumber) == [Sample.number(100), Sample.number(100)])
            try await daemon.add(2, .advanced(101))
            #expect(try await daemon.foreignAppends() == [])
            _ = try daemon.verified()
        }
    }

    @Test("A closed journal takes nothing more, and says so")
    func closed() async throws {
        let journal = try Journal.open(scratch.journal, .daemon(Sample.daemon), mapSize: 1 << 20)
        await journal.close(reason: "first")
        await journal.close(reason: "second")
        #expect(
            await failure { () async throws(JournalError) in try await journal.append([]) }
                == .closed(path: journal.path))
        #expect(try journal.everything().last?.payload == .runStopped(RunStopped(reason: "first")))
        let reader = try Journal.open(scratch.journal, .reader)
        #expect(
            await failure { () async throws(JournalError) in try await reader.append([]) } == .closed(path: reader.path)
        )
    }
}
