internal import DequeModule
internal import DynamoDB
internal import StreamModel

/// Fetches one shard's pages, and runs ahead of whoever parses them.
///
/// A full page's reply names the next iterator, and the client finds it without parsing, as soon as that part has arrived. So
/// where more is sure to come, its request is on the way while the page before it still arrives. GetRecords only reads: a page
/// that was fetched ahead and not wanted in the end is dropped.
actor RecordSource {
    /// A fetched page and the lease on its bytes.
    struct Fetched: Sendable {
        let page: Page
        let lease: ByteBudget.Lease
    }

    /// Pages that are on their way or have arrived before they are asked for: one arrives while one waits.
    private static let depth = 2

    private let source: any StreamSource
    private let shard: ShardKey
    private let vitals: Vitals
    private let turns: Turns
    private let executor: (any TaskExecutor)?
    /// In the shard's order.
    private var ahead: Deque<(iterator: ShardIterator, page: Task<Fetched, any Error>)> = []
    /// What comes after the newest page that is known to be followed by one, while nobody has asked for it.
    private var tip: ShardIterator?
    /// Pages that were asked for on this line, and of how many it is known what comes after them.
    private var asked = 0
    private var known = 0
    /// A page's place among those that were asked for without a break.
    private struct Place: Hashable {
        let line: Int
        let index: Int
    }

    /// Counts how often what was ahead was let go of: a page that still arrives afterwards leads nowhere.
    private var line = 0

    /// - Parameter executor: as `Surroundings` has it.
    init(
        source: any StreamSource, shard: ShardKey, turns: Turns, vitals: Vitals, executor: (any TaskExecutor)? = nil
    ) {
        self.source = source
        self.shard = shard
        self.vitals = vitals
        self.turns = turns
        self.executor = executor
    }

    /// - Parameter lease: `nil` where the turn is still to be waited for.
    func page(
        at iterator: ShardIterator, _ urgency: TurnQueue.Urgency, _ lease: ByteBudget.Lease?
    ) async throws -> Fetched {
        guard ahead.first?.iterator == iterator, let page = ahead.popFirst()?.page else {
            close()
            if let lease { return try await fetch(at: iterator, nextPlace(), lease) }
            return try await fetch(at: iterator, nextPlace(), try await turns.wait(of: shard.table, urgency))
        }
        goAhead()
        return try await withTaskCancellationHandler {
            try await page.value
        } onCancel: {
            page.cancel()
        }
    }

    /// Lets go of what was fetched ahead.
    func close() {
        for (_, page) in ahead { page.cancel() }
        ahead = []
        tip = nil
        (asked, known) = (0, 0)
        line += 1
    }

    private func nextPlace() -> Place {
        asked += 1
        return Place(line: line, index: asked - 1)
    }

    @inline(never)
    private func fetch(at iterator: ShardIterator, _ place: Place, _ lease: ByteBudget.Lease) async throws -> Fetched {
        let raw = try await source.rawRecords(
            at: iterator, limit: 1000, onFailure: { [shard, vitals] in vitals.tryFailed(shard) },
            onNext: { [weak self, executor] next, length in
                guard length >= PollPacing.fullBytes else { return }
                Task(executorPreference: executor) { await self?.follows(next, place) }
            })
        lease.resize(to: raw.body.count)
        if raw.body.count >= PollPacing.fullBytes, let next = raw.hintedNext { follows(next, place) }
        return Fetched(page: try await Self.parse(raw), lease: lease)
    }

    /// The page at `place` is followed by what `next` points to. Said twice of each, and of pages that nobody wants any more.
    private func follows(_ next: ShardIterator, _ place: Place) {
        guard place == Place(line: line, index: known) else { return }
        known += 1
        tip = next
        goAhead()
    }

    private func goAhead() {
        guard ahead.count < Self.depth, let next = tip, let lease = turns.takeNow(shard.table) else { return }
        tip = nil
        let place = nextPlace()
        ahead.append((next, Task(executorPreference: executor) { try await self.fetch(at: next, place, lease) }))
    }

    /// Off the actor: half a millisecond of work.
    @concurrent
    private static func parse(_ raw: RawPage) async throws(DynamoDBError) -> Page { try raw.parsed() }
}
