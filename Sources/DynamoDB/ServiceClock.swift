internal import StreamModel
internal import Synchronization

/// The time by which requests are signed and credentials expire: ours, put right by what a refused signature has shown.
package final class ServiceClock: Sendable {
    private let ours: @Sendable () -> Timestamp
    /// What the service's clock is ahead of ours.
    private let skew = Mutex<Duration>(.zero)

    init(_ surroundings: Surroundings) { ours = surroundings.now }

    func now() -> Timestamp { ours() + skew.withLock { $0 } }

    /// - Parameter time: of the Date header in the reply that has just come.
    func set(to time: Timestamp) { skew.withLock { $0 = time - ours() } }
}
