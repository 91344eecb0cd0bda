internal import DynamoDB
internal import StreamModel

/// Fetches one shard's pages, and asks for the next while this one is parsed.
///
/// A full page's reply names the next iterator, and the client finds it without parsing. So where more is sure to come, its
/// request is on the way before the 0.5 ms of parsing begins. GetRecords only reads: a page that was fetched ahead and not
/// wanted in the end is dropped.
actor RecordSource {
    /// A fetched page and the lease on its bytes.
    struct Fetched: Sendable {
        let page: Page
        let lease: ByteBudget.Lease
    }

    private typealias Reply = (raw: RawPage, lease: ByteBudget.Lease)

    private let source: any StreamSource
    private let budget: ByteBudget
    private var ahead: (iterator: ShardIterator, reply: Task<Reply, any Error>)?

    init(source: any StreamSource, budget: ByteBudget) {
        self.source = source
        self.budget = budget
    }

    func page(at iterator: ShardIterator) async throws -> Fetched {
        let (raw, lease) = try await reply(at: iterator)
        lease.resize(to: raw.body.count)
        if raw.body.count >= PollPacing.fullBytes, let next = raw.hintedNext, let lease = budget.reserveNow() {
            ahead = (next, Task { [source] in (try await source.rawRecords(at: next, limit: 1000), lease) })
        }
        return Fetched(page: try await Self.parse(raw), lease: lease)
    }

    /// Lets go of what was fetched ahead.
    func close() {
        ahead?.reply.cancel()
        ahead = nil
    }

    private func reply(at iterator: ShardIterator) async throws -> Reply {
        if let ahead {
            self.ahead = nil
            guard ahead.iterator == iterator else {
                ahead.reply.cancel()
                return try await fetch(at: iterator)
            }
            return try await withTaskCancellationHandler {
                try await ahead.reply.value
            } onCancel: {
                ahead.reply.cancel()
            }
        }
        return try await fetch(at: iterator)
    }

    private func fetch(at iterator: ShardIterator) async throws -> Reply {
        let lease = try await budget.reserve()
        return (try await source.rawRecords(at: iterator, limit: 1000), lease)
    }

    /// Off the actor: half a millisecond of work.
    @concurrent
    private static func parse(_ raw: RawPage) async throws(DynamoDBError) -> Page { try raw.parsed() }
}
