/// Since when the journal has answered no append, by looking at how many were asked for and answered.
struct AppendWatch: Equatable, Sendable {
    private var answered: UInt64?
    private var since: Duration?

    /// - Parameter uptime: of this look: a clock that is set must not make a journal look busy, nor one that hangs at work.
    /// - Returns: that of the first look that saw what is asked for now unanswered; `nil` where nothing is, or something was answered
    ///   since the last look.
    mutating func look(asked: UInt64, answered now: UInt64, uptime: Duration) -> Duration? {
        let stands = asked > now && answered == now
        since = asked > now ? (stands ? since ?? uptime : uptime) : nil
        answered = now
        return since
    }
}
