/// Time and chance, as they come from outside: the machine's in the daemon, a seed's in a simulation.
///
/// Whatever decides by the clock, waits, or draws lots takes it from here, so that a run can be played again.
package struct Surroundings: Sendable {
    /// The wall clock.
    package var now: @Sendable () -> Timestamp
    /// What waits are measured by; `uptime` is its reading.
    package var clock: any Clock<Duration>
    /// Since some moment of its own; never goes back.
    package var uptime: @Sendable () -> Duration
    /// In 0..<1.
    package var random: @Sendable () -> Double
    /// Where tasks run that are nobody's children; `nil` is wherever Swift runs them.
    package var executor: (any TaskExecutor)?
    /// Told of each step that a machine or a rule takes, by a name for it: what a simulation has covered. Nobody listens in the
    /// daemon.
    package var observing: (@Sendable (_ step: String) -> Void)?
    /// Told how many nanoseconds each commit of the journal took.
    package var committed: (@Sendable (_ nanoseconds: UInt64) -> Void)?
    /// Told of each crash point that is passed, and may keep the caller from ever returning from it.
    package var passing: @Sendable (CrashPoint) async -> Void

    package init(
        clock: some Clock<Duration> = ContinuousClock(), now: @escaping @Sendable () -> Timestamp = { .now() },
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) }, executor: (any TaskExecutor)? = nil,
        passing: @escaping @Sendable (CrashPoint) async -> Void = { _ in }
    ) {
        self.now = now
        self.clock = clock
        let origin = clock.now
        uptime = { origin.duration(to: clock.now) }
        self.random = random
        self.executor = executor
        observing = nil
        committed = nil
        self.passing = passing
    }

    /// Waits on `clock`.
    ///
    /// - Throws: `CancellationError`.
    package func sleep(for duration: Duration) async throws { try await clock.sleep(for: duration) }
}
