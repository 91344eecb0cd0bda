/// When old events are folded, and how much stays of them (DESIGN 3.4).
///
/// What was folded stays so: a policy is of what comes next. Nothing that the journal proves depends on it.
package struct FoldPolicy: Hashable, Sendable {
    /// How old advances are by then. The stream itself keeps 24 hours: what may still be replayed is there event by event.
    package var age: Duration
    /// One advance of each shard stays in each part of the time, by the clock, that is so long.
    package var resolution: Duration
    /// How old the ordinary events of shards that are over are by then. Shards live for some hours and their records for 24, so
    /// what an operator asks of one that is over for a week is when it was, and what it brought.
    package var historyAge: Duration

    package static let ages = Duration.seconds(3600)...Duration.seconds(10 * 366 * 86_400)
    /// A day is not cut anew by any of them.
    package static let resolutions = Duration.seconds(1)...Duration.seconds(86_400)

    package init(
        age: Duration = .seconds(48 * 3600), resolution: Duration = .seconds(3600),
        historyAge: Duration = .seconds(7 * 24 * 3600)
    ) {
        self.age = age
        self.resolution = resolution
        self.historyAge = historyAge
    }

    /// How often it is worth to look: more often would find nothing.
    package var interval: Duration { max(.seconds(60), min(resolution, .seconds(3600))) }
}
