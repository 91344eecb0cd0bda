import Dispatcher
import Synchronization

/// A place where callers are held until the test lets them go.
final class Gate: Sendable {
    private let opened = Signal()
    private let count = Mutex(0)
    private let left = Mutex(0)

    /// How many have come this far.
    var arrivals: Int { count.withLock { $0 } }
    /// How many wait here no more.
    var departures: Int { left.withLock { $0 } }

    func open() { opened.fire() }

    /// Returns once the gate is open, or when the task is cancelled.
    func pass() async {
        count.withLock { $0 += 1 }
        await opened.wait()
        left.withLock { $0 += 1 }
    }
}
