internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Targets

/// The scan of a table, beside which its stream is followed.
extension TableFollower {
    /// What the journal knows of a table and, where its stream was pinned for a scan that is still to be finished, what the stream
    /// has changed since.
    ///
    /// A scan of which nobody knows that begins again: its folder is gone, or its pages are of the one before, and came to the
    /// journal only when the next had been asked for. So does one that has brought nothing: its place may be days old.
    func takeUpScan(_ stream: StreamARN?) async throws -> (TableState?, TouchedKeys?) {
        guard let state = try workshop.journal.table(table), state.phase == .fullSync, let id = state.fullSync else {
            return (try workshop.journal.table(table), nil)
        }
        guard try !state.segments.isEmpty || hasAdvanced(since: state.scanBegan) else { return (state, nil) }
        if let touched = try resumeTouched(id) { return (state, touched) }
        guard !state.segments.isEmpty, let stream = state.stream ?? stream else { return (state, nil) }
        try await enter(
            .fullSync, from: .fullSync, stream,
            "the scan begins again: what the stream has changed beside it is not known")
        return (try workshop.journal.table(table), nil)
    }

    /// - Returns: `nil` where they are gone, or can't be read any more: then that scan begins again, and no other table's.
    private func resumeTouched(_ id: FullSyncID) throws(JournalError) -> TouchedKeys? {
        do throws(JournalError) {
            return try TouchedKeys.resume(id, of: table, in: workshop.journal)
        } catch .damaged(let path, _, let problem) {
            log.error(
                "what the stream has changed beside the scan can't be read",
                metadata: ["path": "\(path)", "error": "\(problem)"])
            return nil
        }
    }

    /// Whether anything of the table's streams was made durable since.
    private func hasAdvanced(since began: Position?) throws(JournalError) -> Bool {
        for checkpoint in try workshop.journal.checkpoints() where checkpoint.shard.table == table {
            if let last = try workshop.lastAdvance(checkpoint), last > began ?? .origin { return true }
        }
        return false
    }

    /// Anchors the stream before the first page is scanned, so that nothing that happens meanwhile is missed; or takes up a scan that
    /// was begun.
    ///
    /// - Parameter touched: of a scan that was begun.
    /// - Returns: `nil` where the daemon is to stop.
    func beginScan(
        _ phase: Phase?, _ state: TableState?, _ touched: TouchedKeys?, _ description: TableDescription,
        _ desk: inout ShardDesk
    ) async throws -> FullSync? {
        let kept: TouchedKeys
        let id: FullSyncID
        if let touched, let known = state?.fullSync, state?.stream == desk.stream {
            log.info("the full sync goes on where it stood", metadata: ["items": "\(state?.items ?? 0)"])
            (id, kept) = (known, touched)
        } else {
            guard let listing = try await discovery(desk.stream).listing(beside: desk.lineage) else { return nil }
            try await desk.settleLetters()
            try await desk.anchor(listing: listing.stream.shards)
            if phase == nil || state?.stream != desk.stream {
                try await enter(
                    .fullSync, from: phase, desk.stream, "the stream is anchored; the table is scanned once",
                    description.id)
            }
            id = try workshop.journal.table(table)?.fullSync ?? FullSyncID(0)
            // After the anchor: that there is such a folder says that the stream is pinned.
            kept = try await TouchedKeys.begin(
                id, of: table, in: workshop.journal, sweeping: try await isSweepDue(description.schema))
        }
        await workshop.writer.guardScan(of: description.schema, kept)
        follows()
        return FullSync(
            workshop: workshop, schema: description.schema, description: description, id: id, touched: kept)
    }

    /// Whether rows may be in the target that the source has no more: the full sync is not the first that was begun, as the journal
    /// knows. Where rows from before the journal are to stay, they do until a full sync was finished: nobody can tell them from
    /// those that an unfinished one has left.
    private func isSweepDue(_ schema: TableSchema) async throws -> Bool {
        guard try isAgain() else { return false }
        if try await workshop.target.keys(of: schema, after: nil, limit: 1) != nil { return true }
        log.warning(
            "the target can't list its rows: those that the source has no more stay in it",
            metadata: ["target": "\(workshop.target.name)"])
        return false
    }

    private func isAgain() throws(JournalError) -> Bool {
        let state = try workshop.journal.table(table)
        guard state?.hasBeenFollowed == true || !workshop.target.fillsOn else { return false }
        guard let began = state?.scanBegan, began > .origin,
            let event = try workshop.journal.events(after: Position(began.number - 1), limit: 1).first,
            case .phaseChanged(let change) = event.payload
        else { return false }
        return change.from != nil
    }

    /// From where the journal says, until `halt` fires.
    func run(_ scan: FullSync, until halt: Signal) async -> Event {
        do {
            return .scanned(try await scan.halting(on: halt).run(try workshop.journal.table(table)))
        } catch {
            return asDaemonError(error).map { .scanFailed($0) } ?? .scanned(false)
        }
    }

    /// Every segment is at its end, and what is gone at the source is gone.
    ///
    /// - Returns: `false` where an operator has asked for another full sync meanwhile, which is still to be begun.
    func finish(_ scan: FullSync, _ stream: StreamARN) async throws -> Bool {
        let items = try workshop.journal.table(table)?.items ?? 0
        let next = PhaseChanged(
            from: .fullSync, to: .incrSync, stream: stream, reason: "the full sync is finished: \(items) items",
            tableID: scan.description.id)
        let end = Draft(
            table: table, during: scan.id, [.scanFinished(ScanFinished(items: items)), .phaseChanged(next)])
        do throws(JournalError) {
            _ = try await workshop.journal.append([end])
        } catch {
            guard case .superseded = error else { throw error }
            return false
        }
        await workshop.writer.endScan(of: table)
        await scan.touched.close()
        workshop.vitals.scanEnded(table)
        try await TouchedKeys.remove(of: table, in: workshop.journal)
        log.info("the full sync is finished", metadata: ["items": "\(items)"])
        return true
    }
}
