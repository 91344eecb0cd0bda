internal import NIOCore
internal import Synchronization

/// Closes a connection whose client takes nothing for too long. A write waits until there is room for it, and what it waits for
/// may never come.
final class Patience: Sendable {
    /// Since when a write waits.
    private let since = Mutex<ContinuousClock.Instant?>(nil)
    private let watch = Mutex<Task<Void, any Error>?>(nil)

    init(_ channel: any Channel, _ patience: Duration) {
        let task = Task { [weak self] in
            while let self {
                if let since = self.since.withLock({ $0 }), ContinuousClock.now - since > patience {
                    channel.close(promise: nil)
                    return
                }
                try await Task.sleep(for: patience / 4)
            }
        }
        watch.withLock { $0 = task }
    }

    func begin() { since.withLock { $0 = .now } }
    func rest() { since.withLock { $0 = nil } }
    /// Nothing more is written.
    func end() { watch.withLock { $0?.cancel() } }
}
