internal import Journal

/// Which reader of the journal keeps its file growing, and does nothing for it: a value, told who reads and when.
///
/// Each of Shake's own readers takes a snapshot for milliseconds, or for as long as a copy or a look at all pages takes, which for a
/// large journal are minutes. So it is no complaint that one reads for long, as long as it works and the file does not grow out of
/// all measure by it: one that was stopped or waits for something would keep its snapshot for ever.
struct ReaderWatch: Sendable {
    /// One that works may let the file grow by so many bytes: what a busy daemon writes within some minutes.
    static let mostGrown = 1 << 30

    fileprivate struct Sight {
        let since: Duration
        let usedBytes: Int
        /// Of processor time, and when that was last seen to have changed.
        var ticks: UInt64?
        var moved: Duration
        /// Since when each look has seen it change; `nil` where the last one did not.
        var works: Duration?
        /// It stood still for as long as the patience is, and has not worked for as long since.
        var isStill = false
    }

    /// What is said of one. Times are those of the looks.
    struct Slow: Hashable, Sendable {
        let reader: ReaderCensus.Reader
        let name: String
        let activity: VitalSigns.SlowReader.Activity
        let since: Duration
        let transactions: UInt64
        let grown: UInt64
    }

    private let patience: Duration
    private var sights: [ReaderCensus.Reader: Sight] = [:]

    init(patience: Duration) { self.patience = patience }

    /// Whether it was seen by the last look, in whatever way it fares.
    func isReading(_ reader: ReaderCensus.Reader) -> Bool { sights[reader] != nil }

    /// - Parameters:
    ///   - uptime: of this look.
    ///   - look: at a process.
    /// - Returns: who has read one state for longer than the patience while others were written, and stands still or lets the file
    ///   grow too far: the one that has done so for longest. One that does something now and then is at work once every look has
    ///   seen it so for as long as the patience is.
    mutating func judge(_ census: ReaderCensus, uptime: Duration, look: (_ pid: Int32) -> ProcessLook) -> Slow? {
        let earlier = sights
        sights = [:]
        var slowest: Slow?
        for reader in census.readers {
            let found = look(reader.pid)
            var sight =
                earlier[reader]
                ?? Sight(since: uptime, usedBytes: census.usedBytes, ticks: found.ticks, moved: uptime)
            sight.look(found, uptime: uptime, patience: patience)
            sights[reader] = sight
            guard uptime - sight.since >= patience, reader.transaction < census.newest else { continue }
            let grown = max(0, census.usedBytes - sight.usedBytes)
            guard found.isStopped || sight.isStill || grown > Self.mostGrown,
                slowest.map({ sight.since < $0.since }) ?? true
            else { continue }
            // Of one in another container nobody can see what it does.
            let activity: VitalSigns.SlowReader.Activity =
                found.isStopped ? .stopped : found.ticks == nil ? .unseen : sight.isStill ? .still : .works
            slowest = Slow(
                reader: reader, name: found.name, activity: activity, since: sight.since,
                transactions: UInt64(census.newest - reader.transaction), grown: UInt64(grown))
        }
        return slowest
    }
}

extension ReaderWatch.Sight {
    fileprivate mutating func look(_ found: ProcessLook, uptime: Duration, patience: Duration) {
        guard let now = found.ticks else {
            works = nil
            return
        }
        if now != ticks {
            (ticks, moved, works) = (now, uptime, works ?? uptime)
        } else {
            works = nil
        }
        if uptime - moved >= patience || found.isStopped { isStill = true }
        if let works, uptime - works >= patience { isStill = false }
    }
}
