internal import StreamModel

/// Since when the journal has answered no append, by looking at how many were asked for and answered.
struct AppendWatch: Equatable, Sendable {
    private var answered: UInt64?
    private var since: Timestamp?

    /// - Returns: the first look that saw what is asked for now unanswered; `nil` where nothing is, or something was answered
    ///   since the last look.
    mutating func look(asked: UInt64, answered now: UInt64, now time: Timestamp) -> Timestamp? {
        let stands = asked > now && answered == now
        since = asked > now ? (stands ? since ?? time : time) : nil
        answered = now
        return since
    }
}
