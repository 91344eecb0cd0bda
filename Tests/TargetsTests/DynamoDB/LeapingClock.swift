import StreamModel
import Synchronization

/// A clock that leaps to wherever somebody wants to wait for, and else stands still.
final class LeapingClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration = .zero

        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    private let time = Mutex(Instant())
    private let asked = Mutex<[Duration]>([])

    /// Every wait that anybody asked for, in order.
    var waits: [Duration] { asked.withLock { $0 } }
    var now: Instant { time.withLock { $0 } }
    var minimumResolution: Duration { .nanoseconds(1) }

    func leap(_ duration: Duration) { time.withLock { $0.offset += duration } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        let from = time.withLock { now in
            defer { now = max(now, deadline) }
            return now
        }
        asked.withLock { $0.append(from.duration(to: deadline)) }
        await Task.yield()
    }

    /// The clock's time, from a moment that is written down.
    static let epoch = Timestamp(microseconds: 1_795_451_554_000_000)
    var timestamp: Timestamp { Self.epoch + now.offset }
    var surroundings: Surroundings {
        Surroundings(clock: self, now: { [self] in timestamp }, random: { [self] in draw() })
    }

    private let drawn = Mutex<UInt64>(1)

    /// The next of a fixed row of numbers in 0..<1.
    private func draw() -> Double {
        let state = drawn.withLock { state in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
        return Double(state >> 11) / Double(UInt64(1) << 53)
    }
}
