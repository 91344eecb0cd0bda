internal import NIOCore
internal import Synchronization

/// Closes a connection whose client takes nothing for too long. A write waits until there is room for it, and what it waits for
/// may never come.
final class PatientWriter: Sendable {
    /// Since when a write waits.
    private let since = Mutex<ContinuousClock.Instant?>(nil)

    private init() {}

    /// - Parameter body: what is written, each write of it within `allow`.
    static func watch(
        _ channel: any Channel, _ patience: Duration, _ body: (PatientWriter) async throws -> Void
    ) async throws {
        let writer = PatientWriter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await Task.sleep(for: patience / 4)
                    guard let since = writer.since.withLock({ $0 }), .now - since > patience else { continue }
                    channel.close(promise: nil)
                    return
                }
            }
            defer { group.cancelAll() }
            try await body(writer)
        }
    }

    func allow(_ write: () async throws -> Void) async throws {
        since.withLock { $0 = .now }
        defer { since.withLock { $0 = nil } }
        try await write()
    }
}
