internal import StreamModel

/// Which events of the log are old advances that may go (DESIGN 3.4).
///
/// Looked at in the order of the log. The first advance of each shard in each part of the time by the clock (an hour, if nothing
/// else is said) stays, and whatever is no advance; so each stretch between two of those that stay is within one such part and
/// of consecutive revisions of each shard.
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

    private static let hour: Int64 = 3_600_000_000

    private let now: Timestamp
    /// In microseconds.
    private let resolution: Int64
    /// Whole parts only, so that each is looked at once.
    private let horizon: Timestamp
    /// The part that was looked at last, by its number since 1970.
    private var current: Int64 = .min
    /// Shards whose advance of the current part has been seen.
    private var seen: Set<UInt32> = []

    init(now: Timestamp, _ policy: FoldPolicy = FoldPolicy()) {
        self.now = now
        resolution = max(1, policy.resolution.microseconds)
        let old = now + (.zero - policy.age)
        horizon = Timestamp(microseconds: Self.parts(old.microseconds, of: resolution) * resolution)
    }

    /// - Parameter advances: the shard's ordinal, where the event is an advance of one.
    mutating func verdict(time: Timestamp, advances shard: UInt32?) -> Verdict {
        guard time <= now else { return .isOfNoTime }
        guard time < horizon else { return .ends }
        let part = Self.parts(time.microseconds, of: resolution)
        if part != current {
            current = part
            seen.removeAll(keepingCapacity: true)
        }
        guard let shard else { return .stays }
        return seen.insert(shard).inserted ? .stays : .folds
    }

    /// Forgets what came before: the next event is not the one behind the last.
    mutating func forget() { current = .min }

    /// The begin of the hour, by the clock, that `time` lies in.
    static func wholeHour(_ time: Timestamp) -> Timestamp {
        Timestamp(microseconds: parts(time.microseconds, of: hour) * hour)
    }

    private static func parts(_ microseconds: Int64, of length: Int64) -> Int64 {
        let (parts, rest) = microseconds.quotientAndRemainder(dividingBy: length)
        return rest < 0 ? parts - 1 : parts
    }
}

extension Duration {
    fileprivate var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
