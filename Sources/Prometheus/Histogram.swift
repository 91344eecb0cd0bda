/// How many observations fell below each of some bounds, and their sum.
package struct Histogram: Hashable, Sendable {
    /// Rising; above the last one is everything else.
    package let bounds: [Double]
    /// Of each bucket by itself: one more than there are bounds.
    package private(set) var counts: [UInt64]
    package private(set) var sum: Double = 0

    /// - Parameter bounds: in any order; what is no finite number is left out.
    package init(bounds: [Double]) {
        self.bounds = Set(bounds.filter(\.isFinite)).sorted()
        counts = Array(repeating: 0, count: self.bounds.count + 1)
    }

    package var count: UInt64 { counts.reduce(0, &+) }

    /// A bound belongs to the bucket below it (`le`, less or equal). What is no number is no observation.
    package mutating func observe(_ value: Double) {
        guard !value.isNaN else { return }
        // A dozen bounds: faster from the start than by halves.
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        counts[bucket] &+= 1
        sum += value
    }

    /// With the count of all that is at or below each bound; the last bound is infinite.
    package var cumulative: [(bound: Double, count: UInt64)] {
        var total: UInt64 = 0
        return zip(bounds + [.infinity], counts).map { bound, count in
            total &+= count
            return (bound, total)
        }
    }
}
