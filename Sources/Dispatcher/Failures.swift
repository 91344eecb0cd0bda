internal import StreamModel
internal import Synchronization

/// Which tables can't go on, or have not come to be scanned or followed yet.
final class Failures: Sendable {
    private let tables: Mutex<Set<TableName>>
    private let failed = Mutex<[TableName: DaemonError]>([:])
    private let followed = Mutex<Set<TableName>>([])

    init(tables: Set<TableName>) { self.tables = Mutex(tables) }

    /// It is worked on from now on.
    func begins(_ table: TableName) { _ = tables.withLock { $0.insert(table) } }

    /// It is gone, and no failure.
    func leaves(_ table: TableName) {
        _ = tables.withLock { $0.remove(table) }
        _ = failed.withLock { $0.removeValue(forKey: table) }
        _ = followed.withLock { $0.remove(table) }
    }

    func failed(_ table: TableName, _ error: DaemonError) { failed.withLock { $0[table] = error } }

    func follows(_ table: TableName) {
        _ = followed.withLock { $0.insert(table) }
        _ = failed.withLock { $0.removeValue(forKey: table) }
    }

    /// Whether it was scanned or followed in this run.
    func hasFollowed(_ table: TableName) -> Bool { followed.withLock { $0.contains(table) } }

    /// Whether any table was.
    var haveFollowed: Bool { followed.withLock { !$0.isEmpty } }

    /// Also where there is none.
    var allFailed: Bool { failed.withLock { $0.count } == tables.withLock { $0.count } }

    /// What the whole run comes to.
    ///
    /// - Parameter ending: whether the run was to come to an end of itself, so that a table left behind is a failure. A
    ///   daemon that is told to stop has done what it was told.
    func verdict(ending: Bool) -> Result<Void, DaemonError> {
        let failed = failed.withLock { $0 }
        // What was lost is said by the exit code too, however the run came to its end.
        let hasLost = failed.values.contains { if case .rangeLost = $0 { true } else { false } }
        guard !failed.isEmpty, ending || hasLost || failed.count == tables.withLock({ $0.count }) else {
            return .success(())
        }
        if failed.count == 1, let error = failed.first?.value { return .failure(error) }
        return .failure(
            .tablesFailed(
                failed.mapValues(\.description), exitCode: failed.min { $0.key < $1.key }?.value.exitCode ?? 69))
    }
}
