/// One connection, from the server's side: it asks, one thing after the other, and each within its time.
///
///     waiting ──head──▶ answering ──answered──▶ waiting
///        │                  └──head with a body──▶ refusing ──answered──┐
///        └──────────────head with a body──────────────────────────────▶ leaving
///
/// A client that says nothing, or says it by drops, or takes nothing of what it is sent, would hold a place for ever.
struct Visit: Equatable, Sendable {
    enum State: Equatable, Sendable {
        /// For the whole head of a request, however much of it is there.
        case waiting
        /// So many requests that came one behind the other.
        case answering(Int)
        /// The same, and one with a body was behind them.
        case refusing(Int)
        /// The last word was said. What still comes is passed over: to close at once would take the client's answer from it.
        case leaving
    }

    enum Event: Equatable, Sendable {
        case head(hasBody: Bool)
        /// What comes from here on is no request and never will be: another protocol, or what could not be read as one.
        case garbled
        /// A response was given to the connection to its end.
        case answered
        /// A response, or the server itself, says that nothing more is answered here.
        case farewell
        /// Something was handed on to be sent.
        case given
        /// The system has taken something that was to be sent, or will not.
        case taken
    }

    enum Action: Equatable, Sendable {
        case pass
        case drop
        /// Says that no request may have a body, and leaves.
        case refuse
        /// Ends its own side, and waits a moment for the client's. Not before all is taken: where the client has ended its own
        /// already, the connection is closed, with whatever was still to be sent.
        case leave
    }

    private(set) var state = State.waiting
    private var hasAsked = false
    private var isGarbled = false
    /// Since when it waits or leaves.
    private var since: ContinuousClock.Instant
    /// What was given to be sent and is not taken yet, and since when nothing of it was.
    private var untaken = 0
    private var stalledSince: ContinuousClock.Instant

    init(now: ContinuousClock.Instant) { (since, stalledSince) = (now, now) }

    /// Whether it could be ended to make room, without taking from anybody what was asked for.
    var isIdle: Bool { (state == .waiting || state == .leaving) && untaken == 0 }

    /// Whether more is read of what the client says. What is for nobody is left with the system, whose buffer is soon full, and the
    /// client has to wait: it would else be read, or kept, for as long as an answer lasts. That the client has gone is noticed all
    /// the same.
    var isHeard: Bool {
        guard !isGarbled else { return false }
        switch state {
        case .waiting, .answering: return true
        case .refusing: return false
        case .leaving: return untaken == 0
        }
    }

    /// Whether the answer that is made now is the last, whatever it says of that itself.
    var isLastAnswer: Bool { isGarbled && state == .answering(1) }

    mutating func handle(_ event: Event, now: ContinuousClock.Instant) -> Action {
        switch event {
        case .given:
            if untaken == 0 { stalledSince = now }
            untaken += 1
            return .pass
        case .taken:
            untaken -= 1
            stalledSince = now
            guard state == .leaving else { return .pass }
            // What it takes for a slow client to have its last answer is not held against it.
            since = now
            return untaken == 0 ? .leave : .pass
        case .head(let hasBody): return asked(hasBody, now)
        case .garbled:
            isGarbled = true
            return .pass
        case .answered: return answered(now)
        case .farewell: return state == .leaving ? .drop : leave(now)
        }
    }

    private mutating func leave(_ now: ContinuousClock.Instant) -> Action {
        (state, since) = (.leaving, now)
        return untaken == 0 ? .leave : .pass
    }

    private mutating func asked(_ hasBody: Bool, _ now: ContinuousClock.Instant) -> Action {
        switch (state, hasBody) {
        case (.waiting, false):
            (state, hasAsked) = (.answering(1), true)
            return .pass
        case (.waiting, true):
            (state, since) = (.leaving, now)
            return .refuse
        case (.answering(let count), false):
            state = .answering(count + 1)
            return .pass
        case (.answering(let count), true):
            state = .refusing(count)
            return .drop
        case (.refusing, _), (.leaving, _): return .drop
        }
    }

    private mutating func answered(_ now: ContinuousClock.Instant) -> Action {
        switch state {
        case .answering(1):
            (state, since) = (.waiting, now)
            return .pass
        case .answering(let count):
            state = .answering(count - 1)
            return .pass
        case .refusing(1):
            (state, since) = (.leaving, now)
            return .refuse
        case .refusing(let count):
            state = .refusing(count - 1)
            return .pass
        // What could not be read as a request was answered as such.
        case .waiting: return leave(now)
        case .leaving: return .pass
        }
    }

    /// Whether it has taken more time than it is given.
    func isOver(_ limits: ServerLimits, now: ContinuousClock.Instant) -> Bool {
        if untaken > 0, now - stalledSince > limits.patience { return true }
        switch state {
        case .waiting: return now - since > (hasAsked ? limits.idle : limits.firstRequest)
        case .leaving: return untaken == 0 && now - since > limits.farewell
        // What makes an answer has a bound of its own, and a stream of events has none.
        case .answering, .refusing: return false
        }
    }
}
