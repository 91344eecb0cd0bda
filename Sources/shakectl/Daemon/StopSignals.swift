internal import Glibc
internal import Logging
internal import Synchronization
internal import UnixSignals

/// SIGTERM and SIGINT: the first asks for an orderly stop, the second ends the process at once. The journal and the
/// target hold whatever was durable, as after a crash.
final class StopSignals: Sendable {
    /// Their names, in the order of arrival.
    private let received = Mutex<[String]>([])
    private let task = Mutex<Task<Void, Never>?>(nil)

    var first: String? { received.withLock { $0.first } }

    /// Begins to listen; returns when a signal no longer kills.
    func listen(_ logger: Logger, stop: @escaping @Sendable () -> Void) async {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let listening = Task {
            for await signal in signals {
                let count = self.received.withLock { names in
                    names.append("\(signal)")
                    return names.count
                }
                guard count == 1 else {
                    StandardError.shared.progress(nil)
                    StandardError.shared.line("shakectl: \(signal) again: ended at once; the next start recovers")
                    _exit(128 + signal.rawValue)
                }
                logger.notice(
                    "stopping: finishing what is in flight; a second signal ends at once",
                    metadata: ["signal": "\(signal)"])
                stop()
            }
        }
        task.withLock { $0 = listening }
    }

    func end() { task.withLock { $0?.cancel() } }
}
