/// How far the full sync of a table has come.
package struct ScanProgress: Codable, Hashable, Sendable {
    /// Durable in the target, earlier runs of the same sync included.
    package var items: UInt64
    package var bytes: UInt64
    /// What the service says that the table holds, up to six hours old (API Reference, DescribeTable); 0 if it doesn't know.
    package var estimatedItems: Int64
    package var segmentsFinished: Int
    package var totalSegments: Int
    /// Segments that are read at a time; 0 where nobody reads.
    package var readers: Int
    package var rates: Rates

    /// A second, over the last minute of this run.
    package struct Rates: Codable, Hashable, Sendable {
        package var items: Double
        package var bytes: Double
        package var pages: Double
        /// Read capacity units; 0 where the endpoint doesn't say.
        package var capacity: Double

        package init(items: Double = 0, bytes: Double = 0, pages: Double = 0, capacity: Double = 0) {
            self.items = items
            self.bytes = bytes
            self.pages = pages
            self.capacity = capacity
        }
    }

    package init(
        items: UInt64, bytes: UInt64 = 0, estimatedItems: Int64, segmentsFinished: Int = 0, totalSegments: Int = 1,
        readers: Int = 1, rates: Rates = Rates()
    ) {
        self.items = items
        self.bytes = bytes
        self.estimatedItems = estimatedItems
        self.segmentsFinished = segmentsFinished
        self.totalSegments = totalSegments
        self.readers = readers
        self.rates = rates
    }

    package var isFinished: Bool { segmentsFinished == totalSegments }

    /// Of a hundred; `nil` where the estimate is missing, or too old to be true.
    package var percent: Int? {
        guard let known = estimate else { return nil }
        // Not by multiplying: the service's number may be any.
        return Int(Double(items) / Double(known) * 100)
    }

    /// `nil` where it can't be told.
    package var timeLeft: Duration? {
        guard let known = estimate, rates.items >= 1 else { return nil }
        let seconds = Double(known - items) / rates.items
        return seconds < 1e7 ? .seconds(Int64(seconds)) : nil
    }

    private var estimate: UInt64? {
        guard estimatedItems > 0, items <= UInt64(estimatedItems) else { return nil }
        return UInt64(estimatedItems)
    }

    /// `2,500 of ~10,000 items, 25 %, 250/s, 30 s left`.
    package var words: String {
        let speed = rates.items >= 1 ? ", \(Spoken.count(UInt64(rates.items)))/s" : ""
        guard let known = estimate, let percent else { return Spoken.count(items, "item") + speed }
        let rest = timeLeft.map { ", \(Spoken.duration($0)) left" } ?? ""
        return "\(Spoken.count(items)) of ~\(Spoken.count(known)) items, \(percent) %\(speed)\(rest)"
    }

    /// `3 of 8 segments finished, 4 at a time`.
    package var segmentWords: String {
        "\(segmentsFinished) of \(Spoken.count(UInt64(totalSegments), "segment")) finished"
            + (readers > 0 ? ", \(readers) at a time" : "")
    }
}

extension ScanProgress {
    /// `12.3`.
    static func tenths(_ number: Double) -> String {
        let tenths = Int64((max(0, number) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
