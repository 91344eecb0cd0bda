internal import Journal
internal import Logging
internal import StreamModel
internal import Synchronization
internal import Targets

/// The end of a full sync that is not the table's first: removes the rows that the target has and the source has no more.
///
/// Such a row's key is in the target, and neither did the scan bring it nor has the stream changed it since the scan began. For
/// what is at the source when the scan ends was there all through it, so that the scan has brought it, or was written meanwhile, so that
/// the stream brings it. The keys are looked up once more by whoever writes (`ScanGuards`): a change of the stream that comes in
/// between wins. Where one comes later that inserts a row again, it is written after the removal.
///
/// Interrupted, it begins again: nothing that is gone is found once more.
struct Sweep {
    let workshop: Workshop
    let schema: TableSchema
    let id: FullSyncID
    let touched: TouchedKeys
    let halt: Signal

    /// Keys that are held at a time, and rows that one write removes at most.
    private static let keysAtOnce = 1000
    private static let reportInterval: Duration = .seconds(60)

    /// - Returns: whether all of the target's keys were looked at; not so when it was halted, or the daemon told to stop.
    func run() async throws -> Bool {
        var log = workshop.logger
        log[metadataKey: "table"] = "\(schema.name)"
        log.info("the scan is at its end; rows that the source has no more are removed from the target")
        var last: CanonicalKey?
        var looked: UInt64 = 0
        var removed: UInt64 = 0
        var reported = workshop.surroundings.uptime()
        while !workshop.stop.hasFired, !halt.hasFired {
            guard let keys = try await keys(after: last, log) else { return false }
            guard let end = keys.last else {
                log.info(
                    "what the source has no more is gone from the target",
                    metadata: ["rows": "\(looked)", "removed": "\(removed)"])
                return true
            }
            removed += try await remove(keys)
            looked += UInt64(keys.count)
            last = end
            workshop.pulse.moved()
            workshop.vitals.scanned(schema.name)
            if workshop.surroundings.uptime() - reported >= Self.reportInterval {
                reported = workshop.surroundings.uptime()
                log.info("rows are looked at", metadata: ["rows": "\(looked)", "removed": "\(removed)"])
            }
        }
        return false
    }

    /// Of some keys of the target removes those that are gone at the source.
    ///
    /// - Returns: how many.
    private func remove(_ keys: [CanonicalKey]) async throws -> UInt64 {
        let known = keys.map { TouchedKeys.Key(hash: $0.hash, range: $0.range) }
        let verdicts = try await touched.pass([.sweep(known)]).first ?? []
        let gone = zip(keys, verdicts).filter(\.1).map(\.0)
        guard !gone.isEmpty else { return 0 }
        let count = Mutex<UInt64>(0)
        _ = try await workshop.writer.deliver(.sweep(gone, of: schema, id)) { [table = schema.name] written, token in
            let rows = UInt64(written.count)
            count.withLock { $0 = rows }
            return Draft(table: table, [.rowsSwept(RowsSwept(rows: rows, targetToken: token))])
        }
        return count.withLock { $0 }
    }

    /// Keys of the target, asked for until it answers; `nil` where it is halted, or the daemon to stop.
    private func keys(after last: CanonicalKey?, _ log: Logger) async throws -> [CanonicalKey]? {
        var backoff = Backoff()
        while true {
            do throws(TargetError) {
                // It could list them when the scan began.
                return try await workshop.target.keys(of: schema, after: last, limit: Self.keysAtOnce) ?? []
            } catch {
                guard case .unavailable = error else { throw DaemonError.target(error) }
                let delay = backoff.next(jitter: workshop.random())
                log.warning(
                    "the target does not list its rows; it is asked again",
                    metadata: ["error": "\(error)", "in": .stringConvertible(delay)])
                guard await workshop.wait(delay, unless: halt) else { return nil }
            }
        }
    }
}
