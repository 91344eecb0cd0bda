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
        package let after: [UInt8]?
        /// Items that it brought before.
        package let items: UInt64

        package init(number: Int, after: [UInt8]? = nil, items: UInt64 = 0) {
            self.number = number
            self.after = after
            self.items = items
        }
    }

    /// The total is kept once something has been scanned with it: a key is good only within the same total (API
    /// Reference, Scan).
    package init(state: TableState?, configuredSegments: Int) {
        let begun = state?.segments ?? []
        let total = begun.first.map { Int($0.totalSegments) } ?? max(1, configuredSegments)
        let bySegment = Dictionary(begun.map { (Int($0.segment), $0) }, uniquingKeysWith: { _, last in last })
        totalSegments = total
        open = (0..<total).compactMap { number in
            guard let segment = bySegment[number] else { return Segment(number: number) }
            return segment.isFinished
                ? nil : Segment(number: number, after: segment.lastEvaluatedKey, items: segment.items)
        }
    }
}
