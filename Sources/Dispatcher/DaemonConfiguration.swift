package import DynamoDB
package import Journal
package import StreamModel

/// What the daemon is to do. Every bound has a default that an operator may change.
package struct DaemonConfiguration: Hashable, Sendable {
    package enum Mode: String, CaseIterable, Sendable {
        /// A full sync of tables that have had none, then their streams.
        case all
        /// A full sync only.
        case full
        /// The streams only.
        case incr
    }

    /// Those that are named.
    package var tables: [TableName]
    /// And those of the account that match, also such as are made later; `nil`: none.
    package var globs: TableGlobs?
    /// How often the account's tables are listed for that.
    package var tablesInterval: Duration
    package var mode: Mode
    /// Make the tables' places in the target ready, and end.
    package var preparesOnly: Bool
    /// A table without a stream gets one; else an operator must enable it.
    package var enablesStreams: Bool
    /// Where `incr` begins in a shard that the journal doesn't know and whose ancestors it doesn't know.
    package var startAt: IteratorType
    /// End once every table is in step and nothing came for that long.
    package var untilIdle: Duration?
    /// The longest wait between two calls for one idle shard.
    package var maximumPoll: Duration
    /// How often the listing of each stream is read besides when a shard ends.
    package var discoveryInterval: Duration
    /// For how long after a shard's end its children may be missing in a listing: no stream is held to be over before that.
    package var listingDelay: Duration
    /// How often the journal is asked whether another process has appended. A look at a counter in shared memory; LMDB has
    /// no event for it, and a bell that an operator's process rings could be lost with the process.
    package var watchInterval: Duration
    /// How often the daemon says what it last did.
    package var vitalsInterval: Duration
    /// Bytes of pages that the process holds at once.
    package var memoryBudget: Int
    package var limits: CallLimits
    /// Segments of a full sync, and how many are read at a time; `nil`: as the table's size asks for, and as many as bring more.
    package var scanSegments: Int?
    package var scanReaders: Int?
    /// What a table's full sync may consume; `nil`: no bound but the service's own.
    package var scanCapacity: ScanCapacity?
    package var consistentScan: Bool
    /// Which items are copied.
    package var filters: TableFilters
    /// What is done where the stream no longer has what is needed.
    package var onLoss: LossPolicies
    /// Records of a table that wait as dead letters, at most.
    package var deadLetterLimit: Int
    /// When old events of the journal are folded together.
    package var folding: FoldPolicy
    /// How often slots of killed readers of the journal are freed, and who reads is looked at.
    package var readersInterval: Duration
    /// A reader that sees one state for so long, and does nothing with it, is told of.
    package var readerPatience: Duration
    /// Who takes shards up, for the journal: host and pid.
    package var worker: String

    /// `orders,shop-*`.
    package var spokenTables: String {
        (tables.map(\.text) + (globs?.include.map(\.description) ?? [])).joined(separator: ",")
    }

    package init(
        tables: [TableName], globs: TableGlobs? = nil, tablesInterval: Duration = .seconds(30), mode: Mode = .all,
        preparesOnly: Bool = false, enablesStreams: Bool = false, startAt: IteratorType = .trimHorizon,
        untilIdle: Duration? = nil,
        maximumPoll: Duration = .seconds(1), discoveryInterval: Duration = .seconds(30),
        listingDelay: Duration = .seconds(120), watchInterval: Duration = .milliseconds(200),
        vitalsInterval: Duration = .seconds(2), memoryBudget: Int = 32 << 20, limits: CallLimits = CallLimits(),
        scanSegments: Int? = nil, scanReaders: Int? = nil, scanCapacity: ScanCapacity? = nil,
        consistentScan: Bool = true, filters: TableFilters = TableFilters(), onLoss: LossPolicies = LossPolicies(),
        deadLetterLimit: Int = 100, folding: FoldPolicy = FoldPolicy(),
        readersInterval: Duration = .seconds(5), readerPatience: Duration = .seconds(30), worker: String = ""
    ) {
        self.tables = tables
        self.globs = globs
        self.tablesInterval = tablesInterval
        self.mode = mode
        self.preparesOnly = preparesOnly
        self.enablesStreams = enablesStreams
        self.startAt = startAt
        self.untilIdle = untilIdle
        self.maximumPoll = maximumPoll
        self.discoveryInterval = discoveryInterval
        self.listingDelay = listingDelay
        self.watchInterval = watchInterval
        self.vitalsInterval = vitalsInterval
        self.memoryBudget = memoryBudget
        self.limits = limits
        self.scanSegments = scanSegments
        self.scanReaders = scanReaders
        self.scanCapacity = scanCapacity
        self.consistentScan = consistentScan
        self.filters = filters
        self.onLoss = onLoss
        self.deadLetterLimit = deadLetterLimit
        self.folding = folding
        self.readersInterval = readersInterval
        self.readerPatience = readerPatience
        self.worker = worker
    }
}
