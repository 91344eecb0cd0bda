package import Dispatcher
package import Journal
internal import StreamModel
internal import StreamSim

/// What one run consists of: drawn from its seed, and made smaller by the shrinker where it fails.
///
/// Everything that is drawn while it runs comes from generators of their own for each part, so that leaving one thing out
/// changes as little as possible of the rest.
package struct Plan: Hashable, Sendable, Codable {
    package var seed: UInt64
    package var target: ModelTarget.Kind
    package var mode: DaemonConfiguration.Mode
    package var startsAtLatest: Bool
    package var tables: Int
    package var shards: Int
    package var keys: Int
    /// Items that are there before anything else.
    package var items: Int
    @Milliseconds package var maximumPoll: Duration
    @Milliseconds package var discovery: Duration
    /// For how long the tables are written to, and shards change, before the first process begins.
    @Milliseconds package var lead: Duration
    /// One process of the daemon after the other.
    package var lives: [LifePlan]
    /// Of a hundred calls, how many the service fails.
    package var faults: Int
    /// Of a hundred writes, how many the target fails.
    package var troubles: Int
    /// Of a hundred picks, how many are out of turn.
    package var disorder: Int
    /// What the source does besides being written to.
    package var splits: Bool
    package var expiries: Bool
    /// Now and then every call fails, for some time.
    package var outages: Bool
    /// What the operator does: sets shards back, stops and continues the process, answers a loss and dead letters.
    package var rewinds: Bool
    package var pauses: Bool
    package var answers: Bool
    /// How long the process may be stopped.
    @Milliseconds package var longestPause: Duration
    /// What is done where records are lost.
    package var onLoss: LossPolicy
    /// Of a hundred images, how many the target can't hold until it is healed at the end.
    package var poison: Int
    /// Dead letters of a table, at most.
    package var letterLimit: Int
    /// How long a listing may be behind.
    @Milliseconds package var listingLag: Duration
    /// Shards of a page of a listing.
    package var listingPage: Int
    /// Whether shards are listed in no order of time, and the filter for a shard's children is ignored.
    package var shufflesListings: Bool
    package var ignoresShardFilter: Bool
    /// Of a hundred pages of a listing, how many contradict themselves.
    package var contradictions: Int
    /// Records of a page at most.
    package var pageSize: Int
    /// Of a hundred pages, how many are empty though there is more.
    package var emptyPages: Int
    /// How many bring less than they could.
    package var shortPages: Int
    /// Whether records carry the item as it was before, too.
    package var hasOldImages: Bool
    /// The longest wait between two things that the rest of the world does.
    @Milliseconds package var pace: Duration
    /// Whether streams of tables are switched off, and on again as new ones; and whether one that is off at the end stays so.
    package var switchesStreams: Bool
    package var leavesStreamsOff: Bool
    /// Whether nobody writes any more once the first process has begun.
    package var idles: Bool
    /// Items of a page of a scan, and how long one takes to arrive at the longest.
    package var scanPage: Int
    @Milliseconds package var scanPace: Duration
    /// Whether an operator pauses and resumes tables and shards, and asks for another full sync of tables.
    package var pausesReading: Bool
    package var resyncs: Bool
    /// Which table is copied through a filter, the first or the second; 0: none.
    package var filtered: Int
    /// Whether the daemon believes its scans to read consistently.
    package var scansConsistently: Bool
    /// Whether it finds the tables by a pattern; the second of two is made while it runs.
    package var finds: Bool

    package struct LifePlan: Hashable, Sendable, Codable {
        /// Killed after so many steps; `nil`: told to stop.
        package var steps: Int?
        /// Told to stop after that long.
        @Milliseconds package var duration: Duration
        /// How long nobody runs afterwards.
        @Milliseconds package var downtime: Duration
        /// How many of its last batches the target loses meanwhile, as if restored from a backup; of a thousand.
        package var restored: Int?
        /// What an operator does with the journal meanwhile.
        package var journal: JournalDeed?

        package init(steps: Int?, duration: Duration, downtime: Duration, restored: Int?) {
            (self.steps, self.restored) = (steps, restored)
            (self.duration, self.downtime) = (duration, downtime)
        }
    }

    package enum JournalDeed: String, Hashable, Sendable, Codable {
        case backup
        /// The newest backup takes the journal's place.
        case restore
    }

    /// - Parameter seed: every plan has one, and is all that there is to it.
    package init(seed: UInt64) {
        self.init(drawnFrom: seed)
        var chance = Chance(seed: seed ^ 0x4A4F_5552)
        if lives.count > 1, chance.percent(25) { setBack(&chance) }
    }

    /// The journal comes to be older than the target, by one life of the daemon at least.
    private mutating func setBack(_ chance: inout Chance) {
        let restored = chance.of(1...lives.count - 1)
        lives[chance.below(restored)].journal = .backup
        lives[restored].journal = .restore
        // What only the target remembers of a rewind is what there is to go wrong.
        if chance.percent(70) { (target, rewinds) = (.transactional, true) }
        if !idles, chance.percent(30) { precede(&chance) }
    }

    /// Shards are over before the table is scanned: what a replay brings of them lies over newer rows until all that follows is read
    /// again, and only the target remembers that.
    private mutating func precede(_ chance: inout Chance) {
        (target, mode, splits, rewinds, resyncs, switchesStreams) = (.transactional, .all, true, true, true, false)
        lead = chance.duration(.seconds(60), .seconds(6 * 3600))
        pageSize = chance.pick([1, 3])
        for index in lives.indices { lives[index].downtime = min(lives[index].downtime, .seconds(60)) }
    }

    private init(drawnFrom seed: UInt64) {
        var chance = Chance(seed: seed)
        self.seed = seed
        target = chance.pick(ModelTarget.Kind.allCases)
        mode = chance.percent(40) ? .all : .incr
        startsAtLatest = chance.percent(20)
        tables = chance.percent(15) ? 2 : 1
        shards = chance.percent(50) ? 1 : chance.of(2...5)
        keys = chance.percent(30) ? chance.of(1...3) : chance.of(4...40)
        items = chance.percent(50) ? chance.of(0...60) : 0
        maximumPoll = chance.pick([.seconds(2), .seconds(10), .seconds(30)])
        discovery = chance.pick([.seconds(5), .seconds(15), .seconds(40)])
        faults = chance.percent(40) ? 0 : chance.of(1...30)
        troubles = chance.percent(40) ? 0 : chance.of(1...30)
        disorder = chance.percent(40) ? 0 : chance.of(1...60)
        splits = chance.percent(75)
        expiries = chance.percent(40)
        outages = chance.percent(20)
        lead = chance.percent(30) ? chance.duration(.seconds(60), .seconds(30 * 3600)) : .zero
        rewinds = chance.percent(50)
        pauses = chance.percent(25)
        answers = chance.percent(70)
        longestPause = chance.percent(55) ? .seconds(1800) : .seconds(40 * 3600)
        onLoss = chance.pick([.skip, .stop, .resync])
        poison = chance.percent(20) ? chance.of(1...25) : 0
        letterLimit = chance.percent(50) ? chance.of(1...6) : 100
        listingLag = chance.percent(50) ? .zero : chance.duration(.milliseconds(100), .seconds(90))
        listingPage = chance.pick([1, 2, 3, 100])
        pageSize = chance.pick([1, 3, 10, 1000])
        emptyPages = chance.percent(50) ? 0 : chance.of(1...50)
        shortPages = chance.percent(70) ? 0 : chance.of(1...50)
        contradictions = chance.percent(60) ? 0 : chance.of(1...40)
        shufflesListings = chance.percent(50)
        ignoresShardFilter = chance.percent(30)
        hasOldImages = chance.percent(50)
        pace = .seconds(45)
        (switchesStreams, leavesStreamsOff, idles) = (false, false, false)
        (scanPage, scanPace) = (max(pageSize, 5), .zero)
        (pausesReading, resyncs, filtered, scansConsistently, finds) = (false, false, 0, true, false)
        lives = []
        for _ in 0..<chance.of(1...4) {
            lives.append(
                LifePlan(
                    steps: chance.percent(65)
                        ? Int(chance.duration(.seconds(1), .seconds(600)).components.seconds) : nil,
                    duration: chance.duration(.seconds(1), .seconds(400)),
                    downtime: Self.downtime(&chance),
                    restored: target == .transactional && chance.percent(30) ? chance.of(1...1000) : nil))
        }
        if chance.percent(10) { stretch(&chance) } else if chance.percent(15) { glance(&chance) }
        switchesStreams = chance.percent(15)
        leavesStreamsOff = chance.percent(40)
        if chance.percent(4) { idle(&chance) }
        if chance.percent(50) { dawdle(&chance) }
        guard !idles else { return }
        pausesReading = chance.percent(30)
        resyncs = chance.percent(30)
        filtered = chance.percent(30) ? chance.of(1...tables) : 0
        scansConsistently = chance.percent(80)
        finds = chance.percent(20)
        if finds, chance.percent(60) { tables = 2 }
    }

    /// Whether the journal comes to be older than the target, and what that has lost is rewinds more than anything else.
    package var cutsReplays: Bool { !switchesStreams && lives.contains { $0.journal == .restore } }

    /// How often the daemon asks whether somebody else has appended. In a run of days, a look every other second would be most of
    /// the work.
    package var watchInterval: Duration { pace > .seconds(1000) ? .seconds(300) : .seconds(2) }

    /// Mostly a restart; sometimes for so long that records leave the stream, or just begin to.
    private static func downtime(_ chance: inout Chance) -> Duration {
        switch chance.below(100) {
        case 0..<60: chance.duration(.milliseconds(10), .seconds(60))
        case 60..<75: chance.duration(.seconds(60), .seconds(20 * 3600))
        case 75..<88: chance.duration(.seconds(20 * 3600), .seconds(50 * 3600))
        default: .seconds(24 * 3600) - chance.duration(.seconds(1), .seconds(1200))
        }
    }

    /// Some runs take days: the stream forgets, shards age out, and a shard is silent for longer than a record is kept.
    private mutating func stretch(_ chance: inout Chance) {
        (shards, tables) = (chance.of(1...2), chance.percent(20) ? 2 : 1)
        maximumPoll = chance.pick([.seconds(240), .seconds(600)])
        discovery = .seconds(600)
        (faults, troubles, emptyPages) = (min(faults, 5), min(troubles, 5), min(emptyPages, 5))
        pace = chance.duration(.seconds(3600), .seconds(60 * 3600))
        longestPause = .seconds(40 * 3600)
        for index in lives.indices {
            lives[index].duration = chance.duration(.seconds(3600), .seconds(60 * 3600))
            if chance.percent(70) { lives[index].steps = nil }
            if chance.percent(50) { lives[index].downtime = chance.duration(.seconds(3600), .seconds(40 * 3600)) }
        }
    }

    /// In some the daemon is up for moments only, with most of a day between them: it sees shards and comes to read few of them.
    private mutating func glance(_ chance: inout Chance) {
        splits = true
        lives = (0..<chance.of(3...5)).map { _ in
            LifePlan(
                steps: chance.of(3...80), duration: chance.duration(.seconds(1), .seconds(30)),
                downtime: .seconds(chance.of(2...23) * 3600), restored: nil)
        }
    }

    /// Many scans take their time: a table is written to meanwhile, and one that is followed for days may be scanned for days.
    private mutating func dawdle(_ chance: inout Chance) {
        guard !idles else { return }
        items = max(items, chance.of(5...60))
        scanPage = chance.of(1...5)
        let isLong = lives.contains { $0.duration >= .seconds(3600) }
        scanPace = chance.duration(.milliseconds(100), isLong ? .seconds(4 * 3600) : .seconds(60))
    }

    /// In some nothing comes after the second of the scan: the daemon is in step for hours, is back just before all that was there
    /// leaves the stream, and is killed among it.
    private mutating func idle(_ chance: inout Chance) {
        (mode, idles, switchesStreams, expiries, lead) = (.all, true, false, false, .zero)
        (shards, keys, items, pageSize) = (chance.of(1...2), chance.of(1...6), chance.of(2...40), chance.pick([1, 3]))
        (maximumPoll, discovery) = (chance.pick([.seconds(240), .seconds(600)]), .seconds(600))
        pace = .seconds(20 * 3600)
        (faults, troubles, emptyPages) = (min(faults, 5), min(troubles, 5), min(emptyPages, 5))
        let inStep = chance.duration(.seconds(2 * 3600), .seconds(22 * 3600))
        let early = chance.duration(.seconds(2), .seconds(60))
        lives = [
            LifePlan(steps: nil, duration: inStep, downtime: .seconds(24 * 3600) - inStep - early, restored: nil),
            LifePlan(steps: chance.of(5...150), duration: early, downtime: .seconds(300), restored: nil),
            LifePlan(steps: nil, duration: .seconds(60), downtime: .seconds(1), restored: nil),
        ]
    }
}

extension DaemonConfiguration.Mode: Codable {}
extension LossPolicy: Codable {}
extension ModelTarget.Kind: Codable {}
