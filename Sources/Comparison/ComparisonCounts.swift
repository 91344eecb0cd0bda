/// What a comparison of a table has seen so far.
package struct ComparisonCounts: Hashable, Sendable {
    /// Items of the source that were compared.
    package var compared: UInt64 = 0
    /// Rows of the target that were looked up at the source.
    package var looked: UInt64 = 0
    package var missing: UInt64 = 0
    package var extra: UInt64 = 0
    package var different: UInt64 = 0
    /// Items that changed all the time, of which nothing can be said.
    package var moving: UInt64 = 0
    /// Differences that were put right.
    package var repaired: UInt64 = 0

    package init() {}

    package var differences: UInt64 { missing + extra + different }
    /// What is not equal when the comparison is over.
    package var remaining: UInt64 { differences - repaired }

    package mutating func count(_ difference: Difference) {
        switch difference {
        case .missing: missing += 1
        case .extra: extra += 1
        case .different: different += 1
        }
    }
}
