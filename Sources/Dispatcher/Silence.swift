package import StreamModel

/// For how long a shard has had nothing to say, and when it is time to put that on record.
///
/// An idle shard appends nothing. Were it to stay so for a day, nobody could say afterwards whether its last record left the
/// stream alone or with others behind it; so now and then, and before it stops, it says that it is in step.
package struct Silence: Hashable, Sendable {
    /// An idle shard says so as often.
    package static let interval: Duration = .seconds(6 * 3600)
    /// At a stop it is worth an event when as much would be new.
    package static let worthSaying: Duration = .seconds(600)
    /// Empty pages may come where there is more (API Reference, GetRecords); not for as long as this.
    static let proof: Duration = .seconds(60)

    private var began: Timestamp?
    private var last: Timestamp?
    private var beforeLast: Timestamp?

    package init() {}

    /// A page of the open shard has come, and everything before it is durable.
    package mutating func took(isEmpty: Bool, at now: Timestamp) {
        guard isEmpty else {
            self = Silence()
            return
        }
        began = began ?? now
        (beforeLast, last) = (last, now)
    }

    /// What was made up to then is in the target, where the silence has lasted for long enough to tell.
    ///
    /// The last page was asked for after the one before it had come, and by then the shard had not ended: so this is true of
    /// its children as well.
    package var vouched: Timestamp? {
        guard let began, let last, let beforeLast, last - began >= Self.proof else { return nil }
        return beforeLast
    }

    /// The same, where that is to be put on record now.
    ///
    /// - Parameter accounted: up to when the journal knows that already; `nil`: of no time at all.
    package func sign(beyond accounted: Timestamp?, now: Timestamp, isStopping: Bool) -> Timestamp? {
        guard let accounted else { return vouched }
        return now - accounted >= (isStopping ? Self.worthSaying : Self.interval) ? vouched : nil
    }
}
