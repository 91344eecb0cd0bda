internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel

/// The scan of a table, beside which its stream is followed.
extension TableFollower {
    /// Anchors the stream before the first page is scanned, so that nothing that happens meanwhile is missed; or takes up a scan that
    /// was begun.
    ///
    /// - Returns: `nil` where the daemon is to stop.
    /// - Throws: `.needsFullSync` where nobody knows what the stream has changed since the scan began.
    func beginScan(
        _ phase: Phase?, _ state: TableState?, _ description: TableDescription, _ desk: inout ShardDesk
    ) async throws -> FullSync? {
        let touched: TouchedKeys
        let id: FullSyncID
        if let state, let known = state.fullSync, !state.segments.isEmpty {
            log.info("the full sync goes on where it stood", metadata: ["items": "\(state.items)"])
            guard let kept = try TouchedKeys.resume(known, of: table, in: workshop.journal) else {
                throw DaemonError.needsFullSync(
                    table: table,
                    reason: "the journal's folder has lost what the stream has changed since the scan began")
            }
            (id, touched) = (known, kept)
        } else {
            guard let listing = try await discovery(desk.stream).listing(beside: desk.lineage) else { return nil }
            try await desk.settleLetters()
            try await desk.anchor(listing: listing.stream.shards)
            if phase == nil || state?.stream != desk.stream {
                try await enter(
                    .fullSync, from: phase, desk.stream, "the stream is anchored; the table is scanned once")
            }
            id = try workshop.journal.table(table)?.fullSync ?? FullSyncID(0)
            touched = try TouchedKeys.begin(id, of: table, in: workshop.journal)
        }
        await workshop.writer.guardScan(of: description.schema, touched)
        follows()
        return FullSync(workshop: workshop, schema: description.schema, description: description, id: id)
    }

    /// From where the journal says.
    func run(_ scan: FullSync) async -> Event {
        do {
            return .scanned(try await scan.run(try workshop.journal.table(table)))
        } catch {
            return asDaemonError(error).map { .scanFailed($0) } ?? .nothing
        }
    }

    /// Every segment is at its end.
    func finish(_ scan: FullSync, _ stream: StreamARN) async throws {
        let items = try workshop.journal.table(table)?.items ?? 0
        _ = try await workshop.journal.append([
            Draft(
                table: table,
                [
                    .scanFinished(ScanFinished(items: items)),
                    .phaseChanged(
                        PhaseChanged(
                            from: .fullSync, to: .incrSync, stream: stream,
                            reason: "the full sync is finished: \(items) items")),
                ])
        ])
        await workshop.writer.endScan(of: table)
        try TouchedKeys.remove(of: table, in: workshop.journal)
        log.info("the full sync is finished", metadata: ["items": "\(items)"])
    }
}
