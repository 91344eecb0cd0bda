import StreamModel
import Testing

@testable import Journal

@Suite("Importing")
struct ImportTests {
    private let scratch = Scratch()

    private static func fold(_ payloads: [Payload]) throws -> Checkpoint {
        var checkpoint = try Checkpoint.beginning(
            Sample.key(1), with: .discovered(), position: Position(1), time: Sample.noon)
        for (index, payload) in payloads.enumerated() {
            try checkpoint.apply(
                payload, position: Position(UInt64(index + 2)), time: Sample.noon + .seconds(index + 1))
        }
        return checkpoint
    }

    private static func refusal(_ payloads: [Payload]) -> String? {
        do {
            _ = try fold(payloads)
            return nil
        } catch {
            return (error as? Refusal)?.rule
        }
    }

    private static let takenUp: [Payload] = [.queried(), .status(.prepared, .inProcessing)]

    @Test("An import sets the place as it says, and what the shard brings after it is the journal's own")
    func place() throws {
        let imported = try Self.fold([.imported()])
        #expect((imported.status, imported.iteratorType) == (.prepared, .afterSequenceNumber))
        #expect((imported.sequenceNumber, imported.approximateTime) == (Sample.number(7), Sample.noon))
        #expect((imported.records, imported.importedSince) == (0, Sample.noon))
        #expect(try Self.fold([.imported(owedSince: nil)]).importedSince == Timestamp(microseconds: 0))
        #expect(try Self.fold([.imported()] + Self.takenUp).importedSince == Sample.noon)
        #expect(try Self.fold([.imported()] + Self.takenUp + [.advanced(8)]).importedSince == nil)
        #expect(Self.refusal([.imported()] + Self.takenUp + [.advanced(7)])?.contains("does not come after") == true)
        #expect(Self.refusal([.imported(.prepared, .atSequenceNumber)] + Self.takenUp + [.advanced(7)]) == nil)
        // Set back, it still has what the other program brought before that.
        #expect(try Self.fold([.imported(), .rewound(from: 7, to: 5, epoch: 1)]).importedSince == Sample.noon)
    }

    @Test("It comes right after the discovery, and once")
    func once() {
        let rule = "a place is imported right after the discovery, and once"
        #expect(Self.refusal([.imported(), .imported()]) == rule)
        #expect(Self.refusal([.queried(), .imported()]) == rule)
        #expect(Self.refusal(Payload.takenUp + [.advanced(8), .imported()]) == rule)
    }

    private static let wrong: [(Status, IteratorType, Int?)] = [
        (.inProcessing, .afterSequenceNumber, 7), (.lost, .trimHorizon, nil), (.prepared, .latest, nil),
        (.done, .latest, 7),
        (.prepared, .afterSequenceNumber, nil), (.prepared, .trimHorizon, 7), (.notProcessed, .afterSequenceNumber, 7),
        (.waitingForParent, .atSequenceNumber, 7), (.notNeeded, .afterSequenceNumber, 7),
    ]

    @Test("What is no place is refused", arguments: wrong.indices)
    func refused(index: Int) {
        let (status, type, number) = Self.wrong[index]
        #expect(Self.refusal([.imported(status, type, at: number)]) != nil)
    }

    private static func imported(_ status: Status, _ type: IteratorType, at number: Int?) -> Imported {
        guard case .imported(let imported) = Payload.imported(status, type, at: number) else { preconditionFailure() }
        return imported
    }

    /// 1, done ─▶ 2, half read ─▶ 3, to begin; the child is told of first.
    private static let table = ImportedTable(
        table: Sample.table, stream: Sample.stream, tableID: TableID("of the first"), reason: "another was there",
        shards: [
            .init(
                shard: Sample.shard(3), parent: Sample.shard(2), range: SequenceRange(),
                imported: imported(.waitingForParent, .trimHorizon, at: nil)),
            .init(
                shard: Sample.shard(2), parent: Sample.shard(1), range: SequenceRange(),
                imported: imported(.prepared, .afterSequenceNumber, at: 7)),
            .init(
                shard: Sample.shard(1), parent: nil, range: SequenceRange(),
                imported: imported(.done, .afterSequenceNumber, at: 5)),
        ])

    @Test("A table is taken over in one append, is followed from then on, and the journal is proved")
    func whole() async throws {
        try await Journal.use(scratch.journal) { journal in
            let plan = try ImportPlan.make([Self.table], states: try journal.tables(), among: try journal.checkpoints())
            _ = try await journal.append(plan.drafts)
            #expect(try journal.checkpoints().map(\.shard.shard) == [1, 2, 3].map(Sample.shard))
            let state = try #require(try journal.table(Sample.table))
            #expect((state.phase, state.stream, state.id) == (.incrSync, Sample.stream, TableID("of the first")))
            #expect((state.hasBeenFollowed, state.fullSync, state.reason) == (true, nil, "another was there"))
            #expect(
                try journal.checkpoint(of: Sample.key(2), at: try journal.lastPosition())
                    == journal.checkpoint(of: Sample.key(2)))
            _ = try journal.verified()
        }
        // As it was kept.
        let journal = try Journal.open(scratch.journal, .reader)
        #expect(try journal.checkpoint(of: Sample.key(2))?.importedSince == Sample.noon)
        _ = try journal.verified()
    }

    @Test("A table that the journal has a word of its own on is refused, and so are those beside it")
    func known() async throws {
        try await Journal.use(scratch.journal) { journal in
            let plan = try ImportPlan.make([Self.table], states: [], among: [])
            _ = try await journal.append(plan.drafts)
            var other = Self.table
            other.table = TableName("users")
            #expect(throws: ImportRefusal.known([Sample.table])) {
                try ImportPlan.make(
                    [other, Self.table], states: try journal.tables(), among: try journal.checkpoints())
            }
            // Nor can a plan of before be appended.
            await #expect(throws: JournalError.self) { try await journal.append(plan.drafts) }
            _ = try journal.verified()
        }
    }

    /// As a daemon whose target finds out what it lacks, or as an import, which has none.
    private func open(_ target: String = "", _ body: (Journal) async throws -> Void) async throws {
        var run = Sample.daemon
        run.target = target
        run.role = target.isEmpty ? "import" : "daemon"
        let journal = try Journal.open(scratch.journal, .daemon(run, takesOver: { _ in true }))
        try await body(journal)
        await journal.close(reason: "")
    }

    @Test("A journal that stands on another program's word is of one target, whatever that target finds out by itself")
    func oneTarget() async throws {
        try await open { journal in
            _ = try await journal.append(try ImportPlan.make([Self.table], states: [], among: []).drafts)
        }
        try await open("first") { _ in }
        await #expect(throws: JournalError.otherTarget(path: scratch.journal, filled: "first", asked: "second")) {
            try await open("second") { _ in }
        }
        try await open("first") { _ in }
    }
}
