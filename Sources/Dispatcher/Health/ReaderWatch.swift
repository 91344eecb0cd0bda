internal import Journal

/// Which reader of the journal keeps its file growing, and does nothing for it: a value, told who reads and when.
///
/// Each of Shake's own readers takes a snapshot for milliseconds, or for as long as a copy or a look at all pages takes, which for a
/// large journal are minutes. So it is no complaint that one reads for long, as long as it works and the file does not grow out of
/// all measure by it: one that was stopped or waits for something would keep its snapshot for ever.
struct ReaderWatch: Sendable {
    /// One that works may let the file grow by so many bytes: what a busy daemon writes within some minutes.
    static let mostGrown = 1 << 30

    private struct Sight {
        let since: Duration
        let usedBytes: Int
        /// Of processor time, and when that was last seen to have changed.
        var ticks: UInt64?
        var moved: Duration
    }

    /// What is said of one. Times are those of the looks.
    struct Slow: Hashable, Sendable {
        let pid: Int32
        let name: String
        /// It was stopped, or has done nothing for as long as the patience is.
        let isStill: Bool
        let since: Duration
        let transactions: UInt64
        let grown: UInt64
    }

    private let patience: Duration
    private var sights: [ReaderCensus.Reader: Sight] = [:]

    init(patience: Duration) { self.patience = patience }

    /// - Parameters:
    ///   - uptime: of this look.
    ///   - look: at a process.
    /// - Returns: who has read one state for longer than the patience while others were written, and stands still or lets the file
    ///   grow too far: the one that has done so for longest.
    mutating func judge(_ census: ReaderCensus, uptime: Duration, look: (_ pid: Int32) -> ProcessLook) -> Slow? {
        let earlier = sights
        sights = [:]
        var slowest: Slow?
        for reader in census.readers {
            let found = look(reader.pid)
            var sight =
                earlier[reader]
                ?? Sight(since: uptime, usedBytes: census.usedBytes, ticks: found.ticks, moved: uptime)
            if sight.ticks != found.ticks { (sight.ticks, sight.moved) = (found.ticks, uptime) }
            sights[reader] = sight
            guard uptime - sight.since >= patience, reader.transaction < census.newest else { continue }
            // Of another container nobody can see what it does.
            let isStill = found.isStopped || found.ticks != nil && uptime - sight.moved >= patience
            let grown = max(0, census.usedBytes - sight.usedBytes)
            guard isStill || grown > Self.mostGrown, slowest.map({ sight.since < $0.since }) ?? true else { continue }
            slowest = Slow(
                pid: reader.pid, name: found.name, isStill: isStill, since: sight.since,
                transactions: UInt64(census.newest - reader.transaction), grown: UInt64(grown))
        }
        return slowest
    }
}
