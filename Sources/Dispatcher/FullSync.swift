internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Synchronization
internal import Targets

/// Copies a table once: its segments side by side, each going on from where the journal says.
struct FullSync {
    let workshop: Workshop
    let schema: TableSchema
    let description: TableDescription
    /// Which full sync this is.
    let id: FullSyncID

    private struct Progress: Sendable {
        var items: UInt64
        var bytes: UInt64
        var segmentsFinished: Int
        var itemsThisRun: UInt64 = 0
    }

    /// - Returns: whether every segment is at its end; not so when the daemon was told to stop.
    func run(_ state: TableState?) async throws -> Bool {
        let plan = ScanPlan(state: state, configuredSegments: workshop.configuration.scanSegments)
        let begun = state?.segments ?? []
        let progress = Mutex(
            Progress(
                items: begun.reduce(0) { $0 + $1.items }, bytes: begun.reduce(0) { $0 + $1.bytes },
                segmentsFinished: plan.totalSegments - plan.open.count))
        let started = workshop.surroundings.uptime()

        let report: @Sendable (_ items: Int, _ bytes: Int, _ isLast: Bool) -> Void = { items, bytes, isLast in
            let current = progress.withLock { progress in
                progress.items += UInt64(items)
                progress.bytes += UInt64(bytes)
                progress.itemsThisRun += UInt64(items)
                if isLast { progress.segmentsFinished += 1 }
                return progress
            }
            workshop.pulse.moved()
            workshop.vitals.scanned(schema.name)
            workshop.observer.scanned(
                ScanProgress(
                    table: schema.name, items: current.items, bytes: current.bytes,
                    estimatedItems: description.itemCount, segmentsFinished: current.segmentsFinished,
                    totalSegments: plan.totalSegments, itemsThisRun: current.itemsThisRun,
                    elapsed: workshop.surroundings.uptime() - started,
                    isFinished: current.segmentsFinished == plan.totalSegments))
        }

        try await withThrowingTaskGroup(of: Void.self) { group in
            var queue = plan.open[...]
            for _ in 0..<min(workshop.configuration.scanReaders, plan.open.count) {
                guard let segment = queue.popFirst() else { break }
                group.addTask { try await scan(segment, of: plan.totalSegments, report) }
            }
            while try await group.next() != nil {
                guard !workshop.stop.hasFired, let segment = queue.popFirst() else { continue }
                group.addTask { try await scan(segment, of: plan.totalSegments, report) }
            }
        }
        return progress.withLock { $0.segmentsFinished } == plan.totalSegments
    }

    /// The next page is fetched while this one is written; a page counts when it is durable, and not when it was read.
    private func scan(
        _ segment: ScanPlan.Segment, of total: Int, _ report: @Sendable (Int, Int, Bool) -> Void
    ) async throws {
        var page = try await fetch(segment.number, of: total, after: segment.after)
        var items = segment.items
        while true {
            items += UInt64(page.page.changes.count)
            let position = SegmentPosition(fullSync: id, segment: UInt32(segment.number), items: items)
            let next = page.page.lastEvaluatedKey
            guard let next, !workshop.stop.hasFired else {
                try await deliver(page, position, of: total, report)
                return
            }
            async let upcoming = fetch(segment.number, of: total, after: next)
            try await deliver(page, position, of: total, report)
            page = try await upcoming
        }
    }

    private func fetch(
        _ segment: Int, of total: Int, after key: [UInt8]?
    ) async throws -> (page: ScanPage, lease: ByteBudget.Lease) {
        let lease = try await workshop.budget.reserve()
        let page = try await workshop.source.scan(
            schema, segment: segment, of: total, after: key, consistent: workshop.configuration.consistentScan,
            limit: nil)
        lease.resize(to: page.body.count)
        return (page, lease)
    }

    private func deliver(
        _ fetched: (page: ScanPage, lease: ByteBudget.Lease), _ position: SegmentPosition, of total: Int,
        _ report: @Sendable (Int, Int, Bool) -> Void
    ) async throws {
        defer { withExtendedLifetime(fetched.lease) {} }
        let page = fetched.page
        let batch = Batch(
            table: schema, origin: .scan(position), parts: [Batch.Part(body: page.body, changes: page.changes)])
        let advance = ScanAdvanced(
            segment: position.segment, totalSegments: UInt32(total), lastEvaluatedKey: page.lastEvaluatedKey,
            items: UInt64(page.changes.count), bytes: UInt64(page.body.count), targetToken: nil)
        _ = try await workshop.deliver(
            batch,
            { _, token in
                // Of the page as it was read: the target's own count of the segment is that, too.
                var advance = advance
                advance.targetToken = token
                return .scanAdvanced(advance)
            }, as: { [table = schema.name] payloads, _ in Draft(table: table, payloads) })
        workshop.source.giveBack(page.body)
        report(page.changes.count, page.body.count, page.lastEvaluatedKey == nil)
    }
}
