internal import DynamoDB
internal import Filter
internal import Journal
internal import Logging
internal import StreamModel

/// Which table has the name that is followed, and which of its items are wanted: what is in the target is of these.
extension TableFollower {
    /// Whether the journal knows another table under this name: it was dropped and made again.
    func isAnother(_ description: TableDescription) throws(JournalError) -> Bool {
        IdentityChange.isAnother(description, than: try workshop.journal.table(table))
    }

    /// As the configuration says.
    var wanted: Wanted { workshop.configuration.wanted(of: table) }

    /// Takes note of both, before anything of the table is asked for.
    ///
    /// A table that was made again is copied in full, whatever is left of the one before: its streams bring what nobody has any more.
    /// (With `--mode incr`, which copies nothing, what came between the two streams is a loss.)
    func identify(_ description: TableDescription) async throws {
        guard let state = try workshop.journal.table(table), let phase = state.phase else { return }
        switch IdentityChange.since(state, description, wanted: wanted, mode: workshop.configuration.mode) {
        case .none: break
        case .madeAgain:
            let was = state.id.map { " (\($0))" } ?? ""
            let reason = "the table was dropped and made again under its name: another one\(was) was copied before"
            let stream = try description.followedStream
            try await enter(.fullSync, from: phase, stream, reason, description.id)
        case .elsewhere(let known, let found): throw DaemonError.elsewhere(table, known: known, found: found)
        case .scannedByAnotherFilter:
            try await enter(phase, from: phase, nil, "another filter: the scan begins again", description.id)
        case .otherFilter:
            let reason =
                "another filter: what only one of the two selects is put right by `shakectl resync \(table)`, and not before"
            try await enter(phase, from: phase, nil, reason, description.id)
            log.warning("the table has another filter than before; `shakectl resync` puts right what is in the target")
        case .backAgain:
            try await enter(phase, from: phase, nil, "the source has the table again", description.id)
        case .known:
            let reason = "which table it is, and which of its items are wanted, was not known yet"
            try await enter(phase, from: phase, nil, reason, description.id)
        }
    }
}

extension DaemonConfiguration {
    func wanted(of table: TableName) -> Wanted { filters[table].map { .matching($0.fingerprint) } ?? .all }
}

extension Workshop {
    /// Journals, once, that the source has a table no more.
    ///
    /// - Returns: whether the journal knows the table: else it is a name that was never anything, unless the source once listed it.
    @discardableResult
    func noteRemoval(of table: TableName) async throws(JournalError) -> Bool {
        let wasListed = configuration.globs != nil && !configuration.tables.contains(table)
        guard let state = try journal.table(table), state.phase != nil || wasListed else { return false }
        guard state.removed == nil else { return true }
        let removed = TableRemoved(stream: state.stream, tableID: state.id)
        _ = try await journal.append([Draft(table: table, [.tableRemoved(removed)])])
        logger.warning(
            "the table is gone; what the journal and the target have of it stays", metadata: ["table": "\(table)"])
        return true
    }
}
