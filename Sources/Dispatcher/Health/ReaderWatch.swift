internal import Journal
internal import StreamModel

/// Which reader of the journal keeps its file growing: a value, told who reads and when.
///
/// Each of Shake's own readers takes a snapshot for milliseconds, or for as long as a copy or a look at all pages takes. One that
/// sees the same state for long was stopped, or hangs.
struct ReaderWatch: Sendable {
    private struct Sight {
        let since: Timestamp
        let usedBytes: Int
    }

    private let patience: Duration
    private var sights: [ReaderCensus.Reader: Sight] = [:]

    init(patience: Duration) { self.patience = patience }

    /// - Parameter describe: the process, for a person: its name, and whether it was stopped.
    /// - Returns: who has read one state for longer than that while others were written: the one that has done so for longest.
    mutating func judge(
        _ census: ReaderCensus, now: Timestamp, describe: (_ pid: Int32) -> String
    ) -> VitalSigns.SlowReader? {
        let earlier = sights
        sights = [:]
        var slowest: (reader: ReaderCensus.Reader, sight: Sight)?
        for reader in census.readers {
            let sight = earlier[reader] ?? Sight(since: now, usedBytes: census.usedBytes)
            sights[reader] = sight
            guard now - sight.since >= patience, reader.transaction < census.newest else { continue }
            if slowest.map({ sight.since < $0.sight.since }) ?? true { slowest = (reader, sight) }
        }
        return slowest.map { reader, sight in
            VitalSigns.SlowReader(
                pid: reader.pid, name: describe(reader.pid), since: sight.since,
                transactions: UInt64(census.newest - reader.transaction),
                grown: UInt64(max(0, census.usedBytes - sight.usedBytes)))
        }
    }
}
