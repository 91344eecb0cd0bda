/// Something that must not be.
package struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// Which rule it is against: what a smaller plan must still show.
    package enum Kind: String, CaseIterable, Sendable {
        case journal = "the journal can't be read"
        case conductor = "the run has no end"
        case ending = "the daemon doesn't come to rest"
        case source = "the simulated service is wrong"
        case invented = "a record that was never made"
        case skipped = "records are skipped"
        case lineage = "a child before its parent"
        case order = "a step back"
        case claim = "the journal claims too much"
        case lost = "records are lost"
        case difference = "source and target differ"
        case twice = "a record is twice in a file"
        case unfounded = "a loss without a reason"
        case letter = "a dead letter is wrong"
        case pause = "a pause is not kept"
        case word = "a full sync that was asked for is not made"
    }

    package let kind: Kind
    package let text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    package var description: String { "\(kind.rawValue): \(text)" }
}
