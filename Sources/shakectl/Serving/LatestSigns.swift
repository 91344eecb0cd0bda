internal import Dispatcher
internal import Synchronization

/// What the daemon last said of itself, and when by the clock that never goes back.
final class LatestSigns: Sendable {
    private let latest = Mutex<(signs: VitalSigns, at: ContinuousClock.Instant)?>(nil)

    func note(_ signs: VitalSigns) { latest.withLock { $0 = (signs, ContinuousClock.now) } }

    var signs: VitalSigns? { latest.withLock { $0?.signs } }

    /// `nil`: it has said nothing yet.
    var age: Duration? { latest.withLock { $0.map { ContinuousClock.now - $0.at } } }
}
