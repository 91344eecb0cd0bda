import Dispatcher
import Journal
import Synchronization

/// A daemon at work.
final class Running: Sendable {
    let journal: Journal
    private let daemon: Daemon
    private let ended: Outcome
    private let task: Task<Void, Never>

    private final class Outcome: Sendable {
        let result = Mutex<Result<Void, DaemonError>?>(nil)
    }

    init(_ journal: Journal, _ daemon: Daemon) {
        let ended = Outcome()
        self.journal = journal
        self.daemon = daemon
        self.ended = ended
        task = Task {
            let result: Result<Void, DaemonError>
            do throws(DaemonError) { result = .success(try await daemon.run()) } catch { result = .failure(error) }
            ended.result.withLock { $0 = result }
        }
    }

    var hasEnded: Bool { ended.result.withLock { $0 != nil } }

    /// As SIGTERM does.
    func askToStop() { daemon.stop() }

    /// Stops the daemon, and waits for its end.
    func stop() async -> Result<Void, DaemonError> {
        daemon.stop()
        await task.value
        return ended.result.withLock { $0 } ?? .success(())
    }
}
