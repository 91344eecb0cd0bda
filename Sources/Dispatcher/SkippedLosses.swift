internal import StreamModel
internal import Synchronization

/// Tables whose target may hold rows as they were before changes that are lost: a loss was skipped since they were last copied.
///
/// What a change says of the item before it is then no word on what the target holds.
final class SkippedLosses: Sendable {
    private let tables = Mutex<Set<TableName>>([])

    func note(_ table: TableName) { _ = tables.withLock { $0.insert(table) } }
    func concern(_ table: TableName) -> Bool { tables.withLock { $0.contains(table) } }
    /// It was copied again.
    func forget(_ table: TableName) { _ = tables.withLock { $0.remove(table) } }
}
