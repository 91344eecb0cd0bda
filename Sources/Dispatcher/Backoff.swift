/// How long to wait before something that failed is tried again: doubling, with jitter, up to a bound, for ever.
///
/// For work that has no caller to give up to: a table, a shard, a target. (A single call's retries are bounded and live
/// in the client.)
package struct Backoff: Hashable, Sendable {
    package let first: Duration
    package let maximum: Duration
    package private(set) var failures = 0

    package init(first: Duration = .milliseconds(200), maximum: Duration = .seconds(30)) {
        self.first = first
        self.maximum = maximum
    }

    /// - Parameter jitter: 0 to 1, drawn by the caller; half of the wait is certain, so that a storm still spreads.
    package mutating func next(jitter: Double) -> Duration {
        let doublings = min(failures, 20)
        failures += 1
        let bound = min(first * (1 << doublings), maximum)
        return bound * (0.5 + 0.5 * jitter)
    }

    package mutating func succeeded() { failures = 0 }
}
