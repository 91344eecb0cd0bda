package import Journal
internal import Logging
package import StreamModel
package import Targets

/// The one way into the target: writes what waits as one group, then appends all of it to the journal.
///
/// An actor with one loop, so batches of all shards share a transaction of the target and one of the journal, and the
/// tokens of a file stand in the journal in the file's order: what is journaled is always a prefix of what is written.
package actor TargetWriter {
    /// What becomes of a batch.
    package enum Delivery: Sendable {
        case journaled(Receipt)
        /// Written, but an operator moved the checkpoint meanwhile: fold again and start from there.
        case displaced
    }

    private struct Order {
        let batch: Batch
        let draft: @Sendable (Batch, TargetToken?) -> Draft
        let continuation: CheckedContinuation<Result<Delivery, DaemonError>, Never>
    }

    /// A group stops growing here, so that one transaction stays short and small.
    private static let groupBytes = 8 << 20

    private let target: any Target
    private let journal: Journal
    private let logger: Logger
    private let surroundings: Surroundings
    private let vitals: Vitals?
    private let instruments: Instruments
    private let wait: @Sendable (Duration) async -> Bool
    private var guards = ScanGuards()
    private var waiting: [Order] = []
    private var isWriting = false
    /// What a write failed with after which the target is not asked again: the daemon ends, and another run goes on.
    private var end: TargetError?

    /// - Parameter wait: sleeps before a retry; `false` once the daemon is to stop.
    init(
        target: any Target, journal: Journal, logger: Logger, surroundings: Surroundings = Surroundings(),
        vitals: Vitals? = nil, instruments: Instruments = Instruments(),
        wait: @escaping @Sendable (Duration) async -> Bool
    ) {
        self.target = target
        self.journal = journal
        self.logger = logger
        self.surroundings = surroundings
        self.vitals = vitals
        self.instruments = instruments
        self.wait = wait
    }

    /// Returns when `batch` is durable in the target and `draft` in the journal.
    ///
    /// - Parameter draft: made of what was written: of a scan and a sweep less may be left than was given.
    /// - Throws: `.target` for a batch that the target can't hold or where it is lost for good, `.journal`.
    package func deliver(
        _ batch: Batch, _ draft: @escaping @Sendable (Batch, TargetToken?) -> Draft
    ) async throws(DaemonError) -> Delivery {
        let result = await withCheckedContinuation { continuation in
            waiting.append(Order(batch: batch, draft: draft, continuation: continuation))
            if !isWriting {
                isWriting = true
                Task(executorPreference: surroundings.executor) { await self.writeAll() }
            }
        }
        return try result.get()
    }

    /// From now on, rows of the table's scan are left out where its stream has changed them.
    func guardScan(of table: TableSchema, _ touched: TouchedKeys) { guards.begin(touched, of: table) }
    func endScan(of table: TableName) { guards.end(table) }

    private func writeAll() async {
        while !waiting.isEmpty { await write(takeGroup()) }
        isWriting = false
    }

    private func takeGroup() -> [Order] {
        var bytes = 0
        let end = waiting.firstIndex { order in
            defer { bytes += order.batch.bytes }
            return bytes >= Self.groupBytes
        }
        let group = Array(waiting[..<(end ?? waiting.endIndex)])
        waiting.removeFirst(group.count)
        return group
    }

    private func write(_ group: [Order]) async {
        let batches: [Batch]
        do throws(JournalError) { batches = try await guards.pass(group.map(\.batch)) } catch {
            for order in group { order.continuation.resume(returning: .failure(.journal(error))) }
            return
        }
        if zip(batches, group).contains(where: { $0.count < $1.batch.count }) {
            surroundings.observing?("scan: rows are left out")
        }
        var backoff = Backoff()
        while true {
            if let end {
                fail(group, end)
                return
            }
            do {
                await surroundings.passing(.beforeTargetWrite)
                vitals?.writes()
                let began = surroundings.uptime()
                let tokens = try await target.write(batches)
                instruments.wrote(in: surroundings.uptime() - began)
                vitals?.acknowledged()
                await surroundings.passing(.afterTargetWrite)
                precondition(
                    tokens.count == group.count,
                    "target \(target.name) gave \(tokens.count) tokens for \(group.count) batches: it must give one for each"
                )
                await append(zip(group, zip(batches, tokens)).map { ($0, $1.0, $0.draft($1.0, $1.1)) })
                return
            } catch {
                switch error {
                case .unavailable:
                    vitals?.refused("\(error)")
                    instruments.writesAgain()
                    let delay = backoff.next(jitter: surroundings.random())
                    logger.warning(
                        "target refused a write; it is tried again",
                        metadata: [
                            "error": "\(error)", "batches": "\(group.count)", "attempt": "\(backoff.failures)",
                            "in": .stringConvertible(delay),
                        ])
                    if await wait(delay) { continue }
                case .unwritable where group.count > 1:
                    vitals?.gaveUp()
                    // One batch that can't be written must not take the others down.
                    for order in group { await write([order]) }
                    return
                case .unwritable: break
                // A part may be out that can't be taken back: whatever came behind it would stand behind a torn line.
                case .broken, .misconfigured: end = error
                }
                vitals?.gaveUp()
                fail(group, error)
                return
            }
        }
    }

    private func fail(_ group: [Order], _ error: TargetError) {
        for order in group { order.continuation.resume(returning: .failure(.target(error))) }
    }

    /// One transaction for the group; who was displaced meanwhile is left out of it.
    private func append(_ orders: [(order: Order, batch: Batch, draft: Draft)]) async {
        var remaining = orders
        while !remaining.isEmpty {
            do {
                let receipts = try await journal.append(remaining.map(\.draft))
                precondition(
                    receipts.count == remaining.count,
                    "the journal gave \(receipts.count) receipts for \(remaining.count) drafts: it must give one for each"
                )
                for (order, receipt) in zip(remaining, receipts) {
                    instruments.applied(order.batch)
                    order.order.continuation.resume(returning: .success(.journaled(receipt)))
                }
                return
            } catch .conflict(let shard, _, _) {
                let displaced = remaining.filter { $0.draft.subject == .shard(shard) }
                guard !displaced.isEmpty else { break }  // can't be: the conflict names one of ours
                // An operator's word about a loss or a letter moves no place: what was written still comes next, and a file
                // that only grows would have it twice.
                if let current = (try? journal.checkpoint(of: shard)) ?? nil, displaced.count == 1,
                    displaced[0].order.batch.epoch == current.epoch
                {
                    remaining = remaining.map { one in
                        guard one.draft.subject == .shard(shard) else { return one }
                        return (
                            one.order, one.batch, Draft(shard: shard, expecting: current.revision, one.draft.payloads)
                        )
                    }
                    continue
                }
                remaining.removeAll { $0.draft.subject == .shard(shard) }
                for order in displaced { order.order.continuation.resume(returning: .success(.displaced)) }
            } catch .refused(let refusal) where remaining.contains(where: { $0.draft.subject == .shard(refusal.shard) })
            {
                // One shard's trouble is its own.
                let refused = remaining.filter { $0.draft.subject == .shard(refusal.shard) }
                remaining.removeAll { $0.draft.subject == .shard(refusal.shard) }
                for order in refused {
                    order.order.continuation.resume(returning: .failure(.journal(.refused(refusal))))
                }
            } catch {
                for order in remaining { order.order.continuation.resume(returning: .failure(.journal(error))) }
                return
            }
        }
        for order in remaining {
            order.order.continuation.resume(returning: .success(.displaced))
        }
    }
}

extension Batch {
    /// In which its shard was read; `nil` of a scan or a sweep.
    fileprivate var epoch: Epoch? { if case .shard(_, let epoch, _) = origin { epoch } else { nil } }
}
