internal import Journal
internal import StreamModel
internal import Synchronization

/// Where each table that is worked on hears of what other processes append about it.
final class Inboxes: Sendable {
    private let inboxes = Mutex<[TableName: Inbox<Subject>]>([:])

    /// - Returns: `nil` where it is worked on already.
    func add(_ table: TableName) -> Inbox<Subject>? {
        inboxes.withLock { inboxes in
            guard inboxes[table] == nil else { return nil }
            let inbox = Inbox<Subject>()
            inboxes[table] = inbox
            return inbox
        }
    }

    func remove(_ table: TableName) { _ = inboxes.withLock { $0.removeValue(forKey: table) } }
    func has(_ table: TableName) -> Bool { self[table] != nil }
    subscript(table: TableName) -> Inbox<Subject>? { inboxes.withLock { $0[table] } }
}
