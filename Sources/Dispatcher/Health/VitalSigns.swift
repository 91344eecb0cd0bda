package import StreamModel

/// What a daemon last did, and when: as it says so itself every other second, in a file beside the journal.
///
/// The journal holds what is durable; that nothing comes, or that nobody asks, leaves no trace in it.
package struct VitalSigns: Codable, Hashable, Sendable {
    /// When the daemon said all this.
    package var written: Timestamp
    /// Host and pid.
    package var worker: String
    /// As the daemon was configured.
    package var limits: Health.Limits
    package var target: Target
    /// Who keeps the journal's file growing.
    package var slowReader: SlowReader?
    /// Since when the journal has answered no append, though some were asked for.
    package var journalBusySince: Timestamp?
    /// When a page of any shard or scan last came.
    package var read: Timestamp?
    /// Whether a table was scanned or followed in this run, or is paused; or there is none yet. `nil`: of an earlier version.
    package var isUp: Bool?
    /// Set for as long as it is not known which tables there are, where they are chosen by pattern.
    package var unlisted: Unlisted?
    package var tables: [Table]

    /// That the account's tables were not listed yet in this run.
    package struct Unlisted: Codable, Hashable, Sendable {
        /// When they were first asked for.
        package var since: Timestamp
        /// Why they can't be listed.
        package var trouble: Trouble?

        package init(since: Timestamp, trouble: Trouble? = nil) {
            self.since = since
            self.trouble = trouble
        }
    }

    /// Of the one target that all tables are written to.
    package struct Target: Codable, Hashable, Sendable {
        /// When it last acknowledged a write.
        package var acknowledged: Timestamp?
        /// Since when it has not acknowledged the one that it was given; tried again or not.
        package var busySince: Timestamp?
        /// Why it refused that, if it did.
        package var trouble: String?
        /// When it last refused a write: whoever refuses answers.
        package var refused: Timestamp?
        /// How long the last write that it acknowledged took, with what was tried again of it.
        package var lastWriteSeconds: Int64?

        package init(
            acknowledged: Timestamp? = nil, busySince: Timestamp? = nil, trouble: String? = nil,
            refused: Timestamp? = nil, lastWriteSeconds: Int64? = nil
        ) {
            self.acknowledged = acknowledged
            self.busySince = busySince
            self.trouble = trouble
            self.refused = refused
            self.lastWriteSeconds = lastWriteSeconds
        }
    }

    /// A process that has been reading one state of the journal for long, and stands still or costs too much: what was replaced
    /// since is kept for it.
    package struct SlowReader: Codable, Hashable, Sendable {
        package var pid: Int32
        /// Of its program, and whether it was stopped.
        package var name: String
        package var since: Timestamp
        /// How many were written since the state that it reads.
        package var transactions: UInt64
        /// Bytes that the file has grown by since it was first seen.
        package var grown: UInt64
        /// What it does meanwhile. `nil`: of an earlier version.
        package var activity: Activity?

        package enum Activity: String, Codable, Sendable {
            /// By a signal or a debugger.
            case stopped
            /// It does next to nothing.
            case still
            case works
            /// Nobody can see that from here.
            case unseen
        }

        package init(
            pid: Int32, name: String, since: Timestamp, transactions: UInt64, grown: UInt64, activity: Activity? = nil
        ) {
            self.pid = pid
            self.name = name
            self.since = since
            self.transactions = transactions
            self.grown = grown
            self.activity = activity
        }
    }

    /// Of one table that the daemon was told to follow.
    package struct Table: Codable, Hashable, Sendable {
        package var name: String
        /// When a listing of its shards last came.
        package var listed: Timestamp?
        /// Why they can't be listed since.
        package var listing: Trouble?
        /// Why its scan does not get on since.
        package var scan: Trouble?
        /// How far its scan has come in this run.
        package var progress: ScanProgress?
        /// When a page of its scan last came to the target, or when the next may be asked for; `nil` where no scan runs.
        package var scanMoved: Timestamp?
        /// When a try to get the next one failed, since the last one came.
        package var scanTryFailed: Timestamp?
        /// What keeps all of it from being worked on.
        package var trouble: Trouble?
        /// Those that are read now, or that rest since reading them failed.
        package var shards: [Shard]

        package init(
            name: String, listed: Timestamp? = nil, listing: Trouble? = nil, scan: Trouble? = nil,
            progress: ScanProgress? = nil, scanMoved: Timestamp? = nil, scanTryFailed: Timestamp? = nil,
            trouble: Trouble? = nil, shards: [Shard] = []
        ) {
            self.name = name
            self.listed = listed
            self.listing = listing
            self.scan = scan
            self.progress = progress
            self.scanMoved = scanMoved
            self.scanTryFailed = scanTryFailed
            self.trouble = trouble
            self.shards = shards
        }
    }

    /// Of one shard in a reader's hands, or at rest after a failure.
    package struct Shard: Codable, Hashable, Sendable {
        package var id: String
        /// When it was taken up.
        package var taken: Timestamp
        /// When a page of it last came.
        package var page: Timestamp?
        /// When a try to get the next one failed, since the last one came: whoever tries is at work.
        package var tryFailed: Timestamp?
        /// Whether that page was empty, and everything before it is in the target.
        package var isInStep: Bool
        package var trouble: Trouble?
        /// That it is read again and again, and does not get on.
        package var replay: Replay?

        package init(
            id: String, taken: Timestamp, page: Timestamp? = nil, tryFailed: Timestamp? = nil, isInStep: Bool = false,
            trouble: Trouble? = nil, replay: Replay? = nil
        ) {
            self.id = id
            self.taken = taken
            self.page = page
            self.tryFailed = tryFailed
            self.isInStep = isInStep
            self.trouble = trouble
            self.replay = replay
        }
    }

    /// A shard that brought the same records too often, with nothing that kept them.
    package struct Replay: Codable, Hashable, Sendable {
        package var since: Timestamp
        package var times: Int
        /// The place that each of them began at.
        package var from: String

        package init(since: Timestamp, times: Int, from: String) {
            self.since = since
            self.times = times
            self.from = from
        }
    }

    /// Something that is tried again, or that an operator must repair.
    package struct Trouble: Codable, Hashable, Sendable {
        package var since: Timestamp
        /// Of the last try. `nil`: of an earlier version.
        package var last: Timestamp?
        package var tries: Int
        package var cause: String
        /// Whether it waits for an operator instead of the next try.
        package var needsOperator: Bool

        package var lastTry: Timestamp { last ?? since }

        package init(since: Timestamp, last: Timestamp? = nil, tries: Int, cause: String, needsOperator: Bool = false) {
            self.since = since
            self.last = last
            self.tries = tries
            self.cause = cause
            self.needsOperator = needsOperator
        }
    }

    package init(
        written: Timestamp, worker: String, limits: Health.Limits = Health.Limits(), target: Target = Target(),
        slowReader: SlowReader? = nil, journalBusySince: Timestamp? = nil, read: Timestamp? = nil,
        isUp: Bool? = nil, unlisted: Unlisted? = nil, tables: [Table] = []
    ) {
        self.written = written
        self.worker = worker
        self.limits = limits
        self.target = target
        self.slowReader = slowReader
        self.journalBusySince = journalBusySince
        self.read = read
        self.isUp = isUp
        self.unlisted = unlisted
        self.tables = tables
    }

    package subscript(table: TableName) -> Table? { tables.first { $0.name == table.text } }
    package subscript(shard: ShardKey) -> Shard? {
        self[shard.table]?.shards.first { $0.id == shard.shard.text }
    }
}

extension Timestamp: Codable {
    /// Microseconds since 1970.
    ///
    /// - Throws: `DecodingError.dataCorrupted` for a time outside of the years 1970 to 9999: no clock has shown it, and what is
    ///   reckoned with it could overflow.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let microseconds = try container.decode(Int64.self)
        guard (0..<253_402_300_800_000_000).contains(microseconds) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(microseconds) µs is no time from 1970 to 9999")
        }
        self.init(microseconds: microseconds)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(microseconds)
    }
}
