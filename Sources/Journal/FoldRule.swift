internal import StreamModel

/// Which events of the log are old advances that may go (DESIGN 3.4).
///
/// Looked at in the order of the log. The first advance of each shard in each hour by the clock stays, and whatever is no
/// advance; so each stretch between two of those that stay is within one hour and of consecutive revisions of each shard.
struct FoldRule: Sendable {
    enum Verdict: Equatable, Sendable {
        case folds
        case stays
        /// Stays for now, and says nothing of the age of what comes before: it has a time that hasn't come yet, by a clock that
        /// was wrong.
        case isOfNoTime
        /// It is recent, and so is all that follows.
        case ends
    }

    /// The stream itself keeps 24 hours; what may still be replayed is there event by event.
    static let age: Duration = .seconds(48 * 3600)
    private static let hour: Int64 = 3_600_000_000

    private let now: Timestamp
    /// Whole hours only, so that an hour is looked at once.
    private let horizon: Timestamp
    private var current: Int64 = .min
    /// Shards whose advance of the current hour has been seen.
    private var seen: Set<UInt32> = []

    init(now: Timestamp) {
        self.now = now
        horizon = Self.wholeHour(now + (.zero - Self.age))
    }

    /// - Parameter advances: the shard's ordinal, where the event is an advance of one.
    mutating func verdict(time: Timestamp, advances shard: UInt32?) -> Verdict {
        guard time <= now else { return .isOfNoTime }
        guard time < horizon else { return .ends }
        let hour = Self.hours(time.microseconds)
        if hour != current {
            current = hour
            seen.removeAll(keepingCapacity: true)
        }
        guard let shard else { return .stays }
        return seen.insert(shard).inserted ? .stays : .folds
    }

    /// Forgets what came before: the next event is not the one behind the last.
    mutating func forget() { current = .min }

    /// The begin of the hour, by the clock, that `time` lies in.
    static func wholeHour(_ time: Timestamp) -> Timestamp { Timestamp(microseconds: hours(time.microseconds) * hour) }

    private static func hours(_ microseconds: Int64) -> Int64 {
        let (hours, rest) = microseconds.quotientAndRemainder(dividingBy: hour)
        return rest < 0 ? hours - 1 : hours
    }
}
