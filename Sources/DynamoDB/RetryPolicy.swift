/// How often and how fast a call is tried again. Full jitter: a random part of a wait that doubles, so that callers who
/// failed together don't come back together.
///
/// Source: Developer Guide, "Error retries and exponential backoff"; 10 attempts and 50 ms are botocore's for DynamoDB.
package struct RetryPolicy: Hashable, Sendable {
    /// With the first.
    package var maximumAttempts = 10
    package var base: Duration = .milliseconds(50)
    /// The base after a throttle.
    package var throttleBase: Duration = .milliseconds(100)
    package var cap: Duration = .seconds(5)

    package init() {}

    /// How long to wait before the next attempt; `nil`: give up.
    ///
    /// - Parameters:
    ///   - attempts: made so far, 1 at least.
    ///   - random: in 0..<1.
    package func delay(after attempts: Int, isThrottle: Bool, random: Double) -> Duration? {
        guard attempts < maximumAttempts else { return nil }
        let base = isThrottle ? throttleBase : base
        let longest = min(cap, base * (1 << min(attempts - 1, 20)))
        // A throttled caller that comes back at once is throttled again.
        return isThrottle ? longest / 2 + longest / 2 * random : longest * random
    }
}
