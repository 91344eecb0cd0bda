internal import Dispatcher

extension ScanProgress {
    /// As `status --json` has it.
    var json: JSON {
        [
            "items": .unsigned(items),
            "bytes": .unsigned(bytes),
            "estimated_items": estimatedItems > 0 ? .integer(estimatedItems) : .null,
            "percent": percent.map { .integer(Int64($0)) } ?? .null,
            "segments": .integer(Int64(totalSegments)),
            "segments_finished": .integer(Int64(segmentsFinished)),
            "readers": .integer(Int64(readers)),
            "items_per_second": Self.rounded(rates.items),
            "bytes_per_second": Self.rounded(rates.bytes),
            "pages_per_second": Self.rounded(rates.pages),
            "capacity_per_second": Self.rounded(rates.capacity),
            "seconds_left": .seconds(timeLeft),
        ]
    }

    /// To tenths: more of a rate is noise.
    private static func rounded(_ rate: Double) -> JSON { .number((rate * 10).rounded() / 10) }
}
