internal import DynamoDB
internal import Filter
internal import Journal
internal import Logging
internal import StreamModel
internal import Synchronization
internal import Targets

/// Copies a table once: its segments side by side, each going on from where the journal says. Where it is not the table's first,
/// the sweep follows.
struct FullSync {
    let workshop: Workshop
    let schema: TableSchema
    let description: TableDescription
    /// Which full sync this is.
    let id: FullSyncID
    let touched: TouchedKeys
    /// Fires when it is to stop after the pages in flight: an operator has paused the table, or asked for another full sync.
    var halt = Signal()

    func halting(on halt: Signal) -> FullSync {
        var scan = self
        scan.halt = halt
        return scan
    }

    /// Of how many items a filter lets pass, nobody knows.
    private var filter: ItemFilter? { workshop.configuration.filters[schema.name] }

    private var isHalted: Bool { workshop.stop.hasFired || halt.hasFired }

    /// A page, and the memory that it lies in.
    private struct Fetched {
        let page: ScanPage
        let lease: ByteBudget.Lease
    }

    /// A segment after one of its pages.
    private struct Step {
        let segment: ScanPlan.Segment
        /// What comes next, where it was fetched ahead.
        let next: Fetched?
        let items: Int
        let bytes: Int
        let capacity: Double
        let isFinished: Bool
    }

    /// - Returns: whether all is done; not so when it was halted, or the daemon told to stop.
    /// - Throws: as `copy`.
    func run(_ state: TableState?) async throws -> Bool {
        workshop.vitals.scanBegins(schema.name)
        defer { workshop.vitals.scanHalts(schema.name) }
        guard try await copy(state) else { return false }
        guard touched.isSweeping else { return true }
        return try await Sweep(workshop: workshop, schema: schema, id: id, touched: touched, halt: halt).run()
    }

    /// - Returns: whether every segment is at its end.
    /// - Throws: `.misconfigured` for a share of a capacity that the table doesn't have; what a call, the target or the journal says.
    private func copy(_ state: TableState?) async throws -> Bool {
        let configuration = workshop.configuration
        let plan = ScanPlan(
            state: state,
            segments: configuration.scanSegments ?? ScanPlan.segments(ofBytes: description.tableSizeBytes))
        let uptime = workshop.surroundings.uptime
        let rate = try configuration.scanCapacity?.unitsPerSecond(of: description)
        let pacing = rate.map { Pacing(ScanPacing(rate: $0, now: uptime()), workshop, schema.name) }
        let chosen = ScanPlan.readers(of: plan.totalSegments)
        let fixed = configuration.scanReaders
        var readers = ScanReaders(first: fixed ?? chosen.first, maximum: fixed ?? chosen.most, now: uptime())
        let begun = state?.segments ?? []
        var meter = ScanMeter(
            items: begun.reduce(0) { $0 + $1.items }, bytes: begun.reduce(0) { $0 + $1.bytes }, now: uptime())
        var finished = plan.totalSegments - plan.open.count
        var logged = uptime()
        var waiting = plan.open[...]
        var running = 0
        // What a page costs nobody knows before the first has come: that one is asked for alone.
        var knowsCost = pacing == nil

        try await withThrowingTaskGroup(of: Step?.self) { group in
            // A reader that is one too many goes when it is at its segment's end.
            func begin() {
                while running < (knowsCost ? readers.count : 1), let segment = waiting.popFirst() {
                    running += 1
                    group.addTask { try await step(segment, nil, of: plan.totalSegments, pacing) }
                }
            }
            begin()
            while let step = try await group.next() {
                running -= 1
                guard let step else { continue }
                let now = uptime()
                knowsCost = true
                if step.isFinished { finished += 1 }
                readers.took(step.bytes, at: now)
                meter.took(items: step.items, bytes: step.bytes, capacity: step.capacity, at: now)
                let progress = ScanProgress(
                    items: meter.items, bytes: meter.bytes, estimatedItems: filter == nil ? description.itemCount : 0,
                    segmentsFinished: finished, totalSegments: plan.totalSegments, readers: readers.count,
                    rates: meter.rates(at: now))
                tell(progress)
                if now - logged >= Self.logInterval {
                    logged = now
                    log(progress)
                }
                if isHalted { continue }
                if !step.isFinished {
                    running += 1
                    group.addTask { try await self.step(step.segment, step.next, of: plan.totalSegments, pacing) }
                }
                begin()
            }
        }
        return finished == plan.totalSegments
    }

    private static let logInterval: Duration = .seconds(60)

    private func tell(_ progress: ScanProgress) {
        workshop.pulse.moved()
        workshop.vitals.scanned(schema.name, progress)
        workshop.observer.scanned(schema.name, progress)
    }

    private func log(_ progress: ScanProgress) {
        let rates = progress.rates
        workshop.logger.info(
            "full sync: \(progress.words)",
            metadata: [
                "table": "\(schema.name)", "segments": "\(progress.segmentWords)",
                "bytes": "\(Spoken.size(progress.bytes))", "bytes_per_second": "\(Spoken.size(UInt64(rates.bytes)))",
                "pages_per_second": "\(ScanProgress.tenths(rates.pages))",
                "capacity_per_second": "\(ScanProgress.tenths(rates.capacity))",
            ])
    }

    // MARK: - One page

    /// The next page is fetched while this one is written, where it need not wait for anything: whoever waits holds no page, or all
    /// would wait for room that only they could give back. A page counts when it is durable, and not when it was read.
    ///
    /// - Returns: `nil` where the scan was halted before its page was asked for.
    private func step(
        _ segment: ScanPlan.Segment, _ fetched: Fetched?, of total: Int, _ pacing: Pacing?
    ) async throws -> Step? {
        let current: Fetched
        if let fetched {
            current = fetched
        } else {
            guard let permit = await permit(pacing) else { return nil }
            current = try await fetch(segment.number, of: total, after: segment.after, permit, pacing)
        }
        let page = current.page
        var segment = segment
        segment.items += UInt64(page.changes.count)
        segment.after = page.lastEvaluatedKey
        let position = SegmentPosition(fullSync: id, segment: UInt32(segment.number), items: segment.items)
        let next: Fetched?
        if let key = page.lastEvaluatedKey, !isHalted, let permit = permitNow(pacing) {
            async let upcoming = fetch(segment.number, of: total, after: key, permit, pacing)
            try await deliver(current, position, of: total)
            next = try await upcoming
        } else {
            try await deliver(current, position, of: total)
            next = nil
        }
        return Step(
            segment: segment, next: next, items: page.changes.count, bytes: page.body.count,
            capacity: page.capacityUnits ?? 0, isFinished: page.lastEvaluatedKey == nil)
    }

    /// That a page may be asked for: there is room for it, and capacity.
    private struct Permit {
        let lease: ByteBudget.Lease
        /// What the page is expected to cost.
        let estimate: Double?
    }

    /// - Returns: `nil` where the scan is halted, or the daemon to stop, before.
    private func permit(_ pacing: Pacing?) async -> Permit? {
        var estimate: Double?
        if let pacing {
            estimate = await pacing.wait(unless: halt)
            if estimate == nil { return nil }
        }
        return await room().map { Permit(lease: $0, estimate: estimate) }
    }

    private func room() async -> ByteBudget.Lease? {
        if let lease = workshop.budget.reserveNow() { return lease }
        return await withTaskGroup(of: ByteBudget.Lease?.self) { group in
            group.addTask { try? await workshop.budget.reserve() }
            for signal in [halt, workshop.stop] {
                group.addTask {
                    await signal.wait()
                    return nil
                }
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    /// `nil` where it would have to be waited for.
    private func permitNow(_ pacing: Pacing?) -> Permit? {
        guard let lease = workshop.budget.reserveNow() else { return nil }
        guard let pacing else { return Permit(lease: lease, estimate: nil) }
        return pacing.takeNow().map { Permit(lease: lease, estimate: $0) }
    }

    private func fetch(
        _ segment: Int, of total: Int, after key: [UInt8]?, _ permit: Permit, _ pacing: Pacing?
    ) async throws -> Fetched {
        do {
            // What a read that is only consistent in the end does not see yet would be swept away.
            let page = try await workshop.source.scan(
                schema, segment: segment, of: total, after: key,
                consistent: workshop.configuration.consistentScan || touched.isSweeping, filter: filter,
                limit: nil,
                onFailure: { [vitals = workshop.vitals, table = schema.name] in vitals.scanTryFailed(table) })
            permit.lease.resize(to: page.body.count)
            if let estimate = permit.estimate { pacing?.settle(estimate, cost: page.capacityUnits ?? 0) }
            return Fetched(page: page, lease: permit.lease)
        } catch {
            if let estimate = permit.estimate { pacing?.settle(estimate, cost: nil) }
            throw error
        }
    }

    private func deliver(_ fetched: Fetched, _ position: SegmentPosition, of total: Int) async throws {
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
    }

    /// Makes readers wait their turn for the table's capacity.
    private final class Pacing: Sendable {
        private let state: Mutex<ScanPacing>
        private let workshop: Workshop
        private let table: TableName

        init(_ pacing: ScanPacing, _ workshop: Workshop, _ table: TableName) {
            state = Mutex(pacing)
            (self.workshop, self.table) = (workshop, table)
        }

        /// - Returns: what the page is expected to cost.
        ///   `nil` where the scan is halted, or the daemon to stop, first.
        func wait(unless halt: Signal) async -> Double? {
            let now = workshop.surroundings.uptime()
            let (wait, estimate) = state.withLock { $0.ask(at: now) }
            guard wait > .zero else { return estimate }
            workshop.vitals.scanWaits(table, wait)
            return await workshop.wait(wait, unless: halt) ? estimate : nil
        }

        /// The same where nobody has to wait; else `nil`.
        func takeNow() -> Double? {
            let now = workshop.surroundings.uptime()
            return state.withLock { $0.askNow(at: now) }
        }

        func settle(_ estimate: Double, cost: Double?) {
            let now = workshop.surroundings.uptime()
            state.withLock { $0.settle(estimate, cost: cost, at: now) }
        }
    }
}
