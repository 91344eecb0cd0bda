internal import Synchronization

/// Which shards are not over, by ordinal, as the writer of this process leaves them: those that are looked at again and again,
/// while the journal may know a thousand times as many.
final class OpenShards: Sendable {
    private let ordinals = Mutex<Set<UInt32>?>(nil)

    /// `nil` where there is no writer to know.
    var all: Set<UInt32>? { ordinals.withLock { $0 } }

    /// All of them, where a writer has read what is kept.
    func replace(by open: [UInt32]) { ordinals.withLock { $0 = Set(open) } }

    /// What one durable transaction changed.
    func update(_ changed: [(ordinal: UInt32, isOver: Bool)]) {
        guard !changed.isEmpty else { return }
        ordinals.withLock { ordinals in
            for (ordinal, isOver) in changed {
                if isOver { ordinals?.remove(ordinal) } else { ordinals?.insert(ordinal) }
            }
        }
    }
}
