/// How many calls may be made in a second: a value, told the time.
///
/// Never more than that in any second, wherever it begins: after a silence a tenth of them at once, and the others one by one
/// at even intervals after that.
package struct TokenBucket: Hashable, Sendable {
    private let interval: Duration
    /// How far before its time a call may be made, so that some can be made at once.
    private let slack: Duration
    /// When the next call would be due, did all come evenly.
    private var due: Duration = .zero

    /// - Parameter rate: calls a second; 1 at least.
    package init(perSecond rate: Int) {
        let rate = max(1, rate)
        let burst = max(1, rate / 10)
        // In less than a second there are `burst` at its beginning and `rate - burst` intervals; the nanosecond is for rounding.
        interval = .seconds(1) / (rate - burst + 1) + .nanoseconds(1)
        slack = interval * (burst - 1)
    }

    /// How long it is until a call may be made.
    ///
    /// - Parameter now: since some moment of the caller's own; never goes back.
    package func wait(at now: Duration) -> Duration { max(.zero, due - slack - now) }

    /// Sets a call down, to be made after what is returned. Who comes later waits longer, so this is a queue of its own.
    package mutating func reserve(at now: Duration) -> Duration {
        defer { due = max(due, now) + interval }
        return wait(at: now)
    }

    /// Sets down a call that is made whether it may or not: others wait for it.
    package mutating func owe(at now: Duration) { _ = reserve(at: now) }
}
