/// The conductor's time, as a clock.
package struct VirtualClock: Clock {
    package struct Instant: InstantProtocol {
        package let offset: Duration

        package func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        package func duration(to other: Instant) -> Duration { other.offset - offset }
        package static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    package let conductor: Conductor

    package init(_ conductor: Conductor) { self.conductor = conductor }

    package var now: Instant { Instant(offset: conductor.now) }
    package var minimumResolution: Duration { .microseconds(1) }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await conductor.sleep(until: deadline.offset)
    }
}
