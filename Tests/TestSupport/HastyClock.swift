internal import Synchronization

/// A clock for which time flies: each wait takes a two-hundredth of what was asked for, and what was asked for is kept.
///
/// Its `now` stands still, so that a deadline is exactly the duration that somebody wanted to wait.
package final class HastyClock: Clock {
    package struct Instant: InstantProtocol {
        private let offset: Duration

        package init(offset: Duration = .zero) { self.offset = offset }

        package func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        package func duration(to other: Instant) -> Duration { other.offset - offset }
        package static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    private static let haste = 200
    private let asked = Mutex<[Duration]>([])

    package init() {}

    /// Every wait that anybody asked for, in order.
    package var waits: [Duration] { asked.withLock { $0 } }

    package var now: Instant { Instant() }
    package var minimumResolution: Duration { .microseconds(1) }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let duration = now.duration(to: deadline)
        asked.withLock { $0.append(duration) }
        try await Task.sleep(for: duration / Self.haste)
    }
}
