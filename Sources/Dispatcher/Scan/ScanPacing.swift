/// Spaces the pages of a scan so that they consume no more than a rate: a bucket that holds one second's worth, and is empty at
/// first, so that a daemon that is started again and again takes no more.
///
/// What a page costs is known when it came. Until then it counts as much as the one before it; of the first nobody knows, and
/// whoever asks for another waits until it has come.
package struct ScanPacing: Sendable {
    private let rate: Double
    private var balance = 0.0
    private var updated: Duration
    private var expected = 0.0

    /// - Parameters:
    ///   - rate: read capacity units a second, more than 0.
    ///   - now: as all times here, on a clock that never goes back.
    package init(rate: Double, now: Duration) {
        (self.rate, updated) = (rate, now)
    }

    /// How long to wait before a page is asked for; it is accounted for already.
    package mutating func ask(at now: Duration) -> (wait: Duration, estimate: Double) {
        refill(now)
        let wait = balance < 0 ? Duration.seconds(-balance / rate) : .zero
        balance -= expected
        return (wait, expected)
    }

    /// The same for a page that may be asked for at once; `nil` where it would have to wait.
    mutating func askNow(at now: Duration) -> Double? {
        refill(now)
        return balance < 0 ? nil : ask(at: now).estimate
    }

    /// What the page that was estimated at `estimate` has cost; `nil`: it never came.
    package mutating func settle(_ estimate: Double, cost: Double?, at now: Duration) {
        refill(now)
        balance += estimate - (cost ?? 0)
        if let cost { expected = cost }
    }

    private mutating func refill(_ now: Duration) {
        balance = min(rate, balance + (now - updated) / .seconds(1) * rate)
        updated = now
    }
}
