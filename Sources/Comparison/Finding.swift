package import Targets

/// A difference that was confirmed, and what became of it.
package struct Finding: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case left
        case wouldBeRepaired
        case repaired
        /// With why not.
        case notRepaired(String)
    }

    package let key: CanonicalKey
    package let difference: Difference
    package var outcome: Outcome

    package init(key: CanonicalKey, _ difference: Difference, _ outcome: Outcome = .left) {
        self.key = key
        self.difference = difference
        self.outcome = outcome
    }
}
