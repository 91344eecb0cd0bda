internal import DequeModule
internal import DynamoDB
internal import StreamModel

/// Fetches one shard's pages, and runs ahead of whoever parses them.
///
/// A full page's reply names the next iterator, and the client finds it without parsing. So where more is sure to come, its
/// request is on the way as soon as the page before it has arrived, however long that one waits to be parsed. GetRecords
/// only reads: a page that was fetched ahead and not wanted in the end is dropped.
actor RecordSource {
    /// A fetched page and the lease on its bytes.
    struct Fetched: Sendable {
        let page: Page
        let lease: ByteBudget.Lease
    }

    private typealias Reply = (raw: RawPage, lease: ByteBudget.Lease)

    /// Pages that are on their way or have arrived before they are asked for: one arrives while one waits.
    private static let depth = 2

    private let source: any StreamSource
    private let budget: ByteBudget
    /// In the shard's order.
    private var ahead: Deque<(iterator: ShardIterator, reply: Task<Reply, any Error>)> = []
    /// What comes after the newest page that has arrived, while nobody has asked for it.
    private var tip: ShardIterator?
    /// Counts how often what was ahead was let go of: a page that still arrives afterwards leads nowhere.
    private var line = 0

    init(source: any StreamSource, budget: ByteBudget) {
        self.source = source
        self.budget = budget
    }

    func page(at iterator: ShardIterator) async throws -> Fetched {
        let (raw, lease) = try await reply(at: iterator)
        return Fetched(page: try await Self.parse(raw), lease: lease)
    }

    /// Lets go of what was fetched ahead.
    func close() {
        for (_, reply) in ahead { reply.cancel() }
        ahead = []
        tip = nil
        line += 1
    }

    private func reply(at iterator: ShardIterator) async throws -> Reply {
        guard ahead.first?.iterator == iterator, let reply = ahead.popFirst()?.reply else {
            close()
            return try await fetch(at: iterator, try await budget.reserve())
        }
        goAhead()
        return try await withTaskCancellationHandler {
            try await reply.value
        } onCancel: {
            reply.cancel()
        }
    }

    private func fetch(at iterator: ShardIterator, _ lease: ByteBudget.Lease) async throws -> Reply {
        let line = line
        let raw = try await source.rawRecords(at: iterator, limit: 1000)
        lease.resize(to: raw.body.count)
        guard line == self.line else { return (raw, lease) }
        tip = raw.body.count >= PollPacing.fullBytes ? raw.hintedNext : nil
        goAhead()
        return (raw, lease)
    }

    private func goAhead() {
        guard ahead.count < Self.depth, let next = tip, let lease = budget.reserveNow() else { return }
        tip = nil
        ahead.append((next, Task { try await fetch(at: next, lease) }))
    }

    /// Off the actor: half a millisecond of work.
    @concurrent
    private static func parse(_ raw: RawPage) async throws(DynamoDBError) -> Page { try raw.parsed() }
}
