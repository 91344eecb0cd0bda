import StreamModel
import Testing

@testable import Journal

@Suite("Planning to acknowledge losses")
struct AckPlanTests {
    private let scratch = Scratch()
    private let another = Scratch()

    private static func make(_ remedy: LossPolicy?, isScanned: Bool = true, in journal: Journal) throws -> AckPlan {
        try AckPlan.make(
            AckRequest(table: Sample.table, remedy: remedy, reason: "known", author: "me@here"),
            of: try journal.table(Sample.table), among: try journal.checkpoints(), isScanned: isScanned)
    }

    private static func lose(_ policies: LossPolicy..., in journal: Journal) async throws {
        for (index, policy) in policies.enumerated() {
            try await journal.follow(index + 1, upTo: 50)
            let revision = try #require(try journal.checkpoint(of: Sample.key(index + 1))).revision
            _ = try await journal.append([
                Draft(shard: Sample.key(index + 1), expecting: revision, [.lost(policy)])
            ])
        }
    }

    @Test(
        "A loss that stops its table is acknowledged, and says how it goes on", arguments: [LossPolicy.skip, .resync])
    func remedy(remedy: LossPolicy) async throws {
        try await Journal.use(scratch.journal) { journal in
            try await Self.lose(.stop, in: journal)
            let plan = try Self.make(remedy, in: journal)
            #expect(plan.steps.map(\.shard) == [Sample.key(1)])
            #expect(plan.steps.map(\.before.isAcknowledged) == [false])
            _ = try await journal.append(plan.drafts)
            #expect(try journal.checkpoint(of: Sample.key(1))?.loss == plan.steps[0].after)
            #expect(plan.steps[0].after.remedy == remedy)
            #expect(try Self.make(nil, in: journal).drafts.isEmpty, "nothing is left to note")
        }
    }

    @Test("A word may be changed until a daemon has taken it up")
    func changed() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await Self.lose(.stop, in: journal)
            for remedy in [LossPolicy.resync, .skip] {
                _ = try await journal.append(try Self.make(remedy, in: journal).drafts)
                #expect(try journal.checkpoint(of: Sample.key(1))?.loss?.remedy == remedy)
            }
        }
    }

    @Test("Without a daemon that scans, a table is not given to a scan; it may skip")
    func neverScanned() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await Self.lose(.stop, in: journal)
            #expect(throws: AckRefusal.neverScanned(Sample.table)) {
                try Self.make(.resync, isScanned: false, in: journal)
            }
            #expect(try Self.make(.skip, isScanned: false, in: journal).steps.map(\.after.remedy) == [.skip])
            #expect(try Self.make(nil, isScanned: false, in: journal).steps.map(\.after.remedy) == [nil])
        }
    }

    @Test("What stopped nothing takes no remedy, and one that did leaves the others without")
    func notStopped() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await Self.lose(.skip, in: journal)
            #expect(throws: AckRefusal.notStopped(Sample.table, .skip)) { try Self.make(.skip, in: journal) }
            #expect(try Self.make(nil, in: journal).steps.map(\.after.isAcknowledged) == [true])
        }
        try await Journal.use(another.journal) { journal in
            try await Self.lose(.skip, .stop, in: journal)
            let plan = try Self.make(.skip, in: journal)
            #expect(plan.steps.map(\.after.remedy) == [nil, .skip])
        }
    }

    @Test("Where nothing was lost nothing is said")
    func nothing() async throws {
        try await Journal.use(scratch.journal) { journal in
            try await journal.follow(1, upTo: 50)
            #expect(try Self.make(.skip, in: journal).drafts.isEmpty)
            #expect(try Self.make(nil, in: journal).drafts.isEmpty)
        }
    }
}
