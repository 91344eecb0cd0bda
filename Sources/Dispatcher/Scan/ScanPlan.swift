package import Journal
internal import StreamModel

/// How a table is cut for its full sync, and what of it is still to be read.
package struct ScanPlan: Hashable, Sendable {
    package let totalSegments: Int
    /// Segments that are not at their end, and where each goes on.
    package let open: [Segment]

    package struct Segment: Hashable, Sendable {
        package let number: Int
        /// The key after which to go on; `nil` is the segment's start.
        package var after: [UInt8]?
        /// Items that it brought before.
        package var items: UInt64

        package init(number: Int, after: [UInt8]? = nil, items: UInt64 = 0) {
            self.number = number
            self.after = after
            self.items = items
        }
    }

    /// The total is kept once something has been scanned with it: a key is good only within the same total (API
    /// Reference, Scan).
    package init(state: TableState?, segments: Int) {
        let begun = state?.segments ?? []
        let total = begun.first.map { Int($0.totalSegments) } ?? max(1, segments)
        let bySegment = Dictionary(begun.map { (Int($0.segment), $0) }, uniquingKeysWith: { _, last in last })
        totalSegments = total
        open = (0..<total).compactMap { number in
            guard let segment = bySegment[number] else { return Segment(number: number) }
            return segment.isFinished
                ? nil : Segment(number: number, after: segment.lastEvaluatedKey, items: segment.items)
        }
    }

    /// Into how many segments a table is cut where nobody says: more than are read at a time, so that the last of them don't end
    /// late and alone. Each has its place in the table's state, which is written with every page, and that sets the upper bound.
    ///
    /// - Parameter size: of the table, up to six hours old.
    package static func segments(ofBytes size: Int64) -> Int {
        Int(min(max(size / segmentBytes, Int64(leastSegments)), Int64(mostSegments)))
    }

    /// How many segments are read at a time, to begin with and at most, where nobody says. Half of the segments wait: they are of
    /// unequal size.
    package static func readers(of segments: Int) -> (first: Int, most: Int) {
        let most = max(1, min(mostReaders, segments / 2))
        return (min(4, most), most)
    }

    private static let segmentBytes: Int64 = 256 << 20
    private static let leastSegments = 8
    private static let mostSegments = 256
    /// Each holds up to two pages in memory.
    private static let mostReaders = 16
}
