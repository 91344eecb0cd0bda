import StreamModel
import Targets

/// What of the dispatcher matters to a target: it writes, journals tokens in order, dies, and recovers (DESIGN 4.5).
struct Daemon {
    let candidate: Candidate
    let scratch: Scratch
    private(set) var target: any Target
    private var tables: [TableSchema]
    private(set) var tokens: [TargetToken] = []

    init(_ candidate: Candidate, _ tables: [TableSchema]) async throws {
        self.candidate = candidate
        self.tables = tables
        scratch = try Scratch()
        target = try await candidate.make(scratch)
        try await open()
    }

    private func open() async throws {
        try await target.open(recoveringTo: tokens)
        for table in tables { try await target.prepare(table) }
    }

    /// Writes, and journals the tokens unless the daemon is to die right before.
    mutating func write(_ batches: [Batch], dyingBeforeTheAppend: Bool = false) async throws {
        let tokens = try await target.write(batches)
        if !dyingBeforeTheAppend { self.tokens += tokens.compactMap(\.self) }
    }

    mutating func write(_ batch: Batch, dyingBeforeTheAppend: Bool = false) async throws {
        try await write([batch], dyingBeforeTheAppend: dyingBeforeTheAppend)
    }

    /// The next start, from what was journaled. Nothing is handed over in memory.
    /// Killed: nothing is closed in order.
    mutating func dieAndRestart() async throws {
        target = try await candidate.make(scratch)
        try await open()
    }

    mutating func restart() async throws {
        await target.close()
        target = try await candidate.make(scratch)
        try await open()
    }

    /// Whether the target itself says that it holds the shard up to there, in that epoch.
    func holds(_ batch: Batch) async throws -> Bool {
        guard case .shard(let shard, let epoch, let upTo) = batch.origin else { return false }
        return try await target.positions(of: shard.table)
            .contains { $0.shard == shard && $0.epoch == epoch && $0.sequenceNumber >= upTo }
    }

    func items(of table: TableSchema) async throws -> [WireValue] { try await candidate.items(table, scratch) }

    func holds(exactly items: [String], of table: TableSchema) async throws -> Bool {
        let (held, expected) = (try await self.items(of: table), try items.map { try WireValue.item($0) })
        return held.count == expected.count && Set(held) == Set(expected)
    }
}
