import StreamModel
import Testing

@testable import Journal

/// A writer holds the checkpoints of shards that can go on; those that are over it reads when somebody speaks of them.
@Suite("Shards that are over")
struct OverShardsTests {
    private let scratch = Scratch()

    @Test("One that is over is set back with its children that are over, and never without them")
    func setBack() async throws {
        for isReopened in [false, true] {
            let path = scratch.path + "/\(isReopened)"
            try await Journal.use(path) { journal in
                for shard in 1...5 {
                    try await journal.follow(shard, parent: shard > 1 ? shard - 1 : nil, upTo: 10, done: true)
                }
                if !isReopened { try await Self.setBack(journal) }
            }
            if isReopened { try await Journal.use(path) { try await Self.setBack($0) } }
        }
    }

    private static func setBack(_ journal: Journal) async throws {
        let known = try #require(try journal.checkpoint(of: Sample.key(2)))
        let alone = Draft(
            shard: known.shard, expecting: known.revision, [.rewound(from: 10, to: nil, epoch: 1)])
        let error = await failure { () async throws(JournalError) in try await journal.append([alone]) }
        guard case .refused(let refusal) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(refusal.rule.contains("its child \(Sample.shard(3)) has begun"))
        let plan = try RewindPlan.make(
            RewindRequest(place: .start, inclusive: false, reason: "", author: "me"), of: Sample.key(2),
            among: try journal.checkpoints())
        _ = try await journal.append(plan.drafts)
        #expect(
            try journal.checkpoints().map(\.status) == [
                .done, .prepared, .waitingForParent, .waitingForParent, .waitingForParent,
            ])
        // A child waits for its parent as ever.
        let child = try #require(try journal.checkpoint(of: Sample.key(3)))
        let early = await failure { () async throws(JournalError) in
            try await journal.append([
                Draft(shard: child.shard, expecting: child.revision, [.status(.waitingForParent, .inProcessing)])
            ])
        }
        #expect(early?.description.contains("must be done first") == true)
        _ = try journal.verified()
    }

    @Test("A parent that is seen after its children are over may be over too, and else they must be set back with it")
    func late() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(2, parent: 1, upTo: 10, done: true)
            try await journal.add(9, .discovered())
            let open = await failure { () async throws(JournalError) in
                try await journal.append([Draft(shard: Sample.key(1), expecting: .none, [.discovered()])])
            }
            #expect(open?.description.contains("its child \(Sample.shard(2)) has begun") == true)
            try await journal.add(1, .discovered(), .status(.notProcessed, .notNeeded))
            _ = try journal.verified()
        }
        try await Journal.use(scratch.journal) { journal in
            let plan = try RewindPlan.make(
                RewindRequest(place: .start, inclusive: false, reason: "", author: "me"), of: Sample.key(1),
                among: try journal.checkpoints())
            _ = try await journal.append(plan.drafts)
            #expect(try journal.checkpoint(of: Sample.key(2))?.status == .waitingForParent)
            _ = try journal.verified()
        }
    }

    @Test("Asked for what a decision can depend on, a writer's journal reads what is open and what is named")
    func asked() async throws {
        try await Journal.use(scratch.journal) { journal in
            for shard in 1...6 {
                try await journal.follow(shard, parent: shard > 1 ? shard - 1 : nil, upTo: 10, done: true)
            }
            try await journal.follow(7, parent: 6, upTo: 10)
            func found(_ known: Int...) throws -> [Int] {
                let all = try journal.checkpoints(of: Sample.table, Sample.stream, with: known.map { Sample.key($0) })
                return (1...9).filter { number in all.contains { $0.shard == Sample.key(number) } }
            }
            #expect(try found() == [7])
            #expect(try found(2, 7, 9) == [2, 7])
            #expect(try journal.checkpoints(of: TableName("another"), Sample.stream, with: [Sample.key(1)]).isEmpty)
            // What an operator set back is open again, as soon as the writer has heard of it.
            let steward = try Journal.open(scratch.journal, .steward(Sample.steward), mapSize: 16 << 20)
            let plan = try RewindPlan.make(
                RewindRequest(place: .start, inclusive: false, reason: "", author: "me"), of: Sample.key(5),
                among: try steward.checkpoints())
            _ = try await steward.append(plan.drafts)
            #expect(try await journal.foreignAppends() == Set([5, 6, 7].map { .shard(Sample.key($0)) }))
            #expect(try found() == [5, 6, 7])
            await steward.close(reason: "done")
        }
    }

    @Test("Names are found among thousands, in each snapshot those that it holds")
    func names() async throws {
        try await Journal.use(scratch.journal) { journal in
            for first in stride(from: 1, through: 2000, by: 100) {
                _ = try await journal.append(
                    (first..<first + 100).map { Draft(shard: Sample.key($0), expecting: .none, [.discovered()]) })
                #expect(try journal.checkpoint(of: Sample.key(first + 99))?.shard == Sample.key(first + 99))
                #expect(try journal.checkpoint(of: Sample.key(first + 100)) == nil)
            }
            for number in 1...2000 {
                #expect(try journal.checkpoint(of: Sample.key(number))?.shard == Sample.key(number))
            }
        }
    }
}
