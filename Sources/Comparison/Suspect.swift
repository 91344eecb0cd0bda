package import Targets

/// An item whose two copies were seen to differ, until it is known whether they do: a change that is on its way is no difference.
///
/// It is one where two looks, some time apart, saw the same at the source, the same at the target, and the two not equal. Each look
/// reads the target first and then the source, consistently: so what the second look saw at the target was there before the
/// source was read again and found to be as it had been. A daemon that is further behind than the two looks are apart is not told
/// from one that will never bring it.
package struct Suspect: Sendable {
    package let key: CanonicalKey
    private let begun: Duration
    private var seen: Sight?
    /// When this state of the two was seen first.
    private var since: Duration

    /// Digests of the two copies: items may be 400 KB each.
    private struct Sight: Hashable {
        let source: Int?
        let target: Int?
    }

    package init(_ key: CanonicalKey, at now: Duration) {
        self.key = key
        (begun, since) = (now, now)
    }

    package enum Verdict: Hashable, Sendable {
        case equal
        case differs(Difference)
        /// It changes all the time: nothing can be said of it.
        case moving
        case lookAgain
    }

    /// How the two were to be found unchanged, and how long an item is looked at that changes.
    package struct Patience: Hashable, Sendable {
        package var settle: Duration
        package var limit: Duration

        package init(settle: Duration = .seconds(5), limit: Duration = .seconds(60)) {
            self.settle = settle
            self.limit = max(limit, settle * 2)
        }
    }

    /// - Parameters:
    ///   - source: read after `target`, consistently, as the target would keep it.
    ///   - now: when they were read, on a clock that never goes back.
    package mutating func look(
        source: Item?, target: Item?, at now: Duration, _ patience: Patience
    ) -> Verdict {
        guard let difference = Difference(source: source, target: target) else { return .equal }
        let sight = Sight(source: source?.hashValue, target: target?.hashValue)
        guard sight == seen else {
            (seen, since) = (sight, now)
            return now - begun >= patience.limit ? .moving : .lookAgain
        }
        return now - since >= patience.settle ? .differs(difference) : .lookAgain
    }
}
