package import StreamModel

/// One recorded transition: a fact, in the past tense, never edited.
package struct Event: Hashable, Sendable {
    package let position: Position
    /// Wall clock of the process that wrote it.
    package let time: Timestamp
    package let run: RunID
    package let subject: Subject
    /// Its place among the shard's events; `nil` for a subject that is no shard.
    package let revision: Revision?
    package let payload: Payload

    package init(
        position: Position, time: Timestamp, run: RunID, subject: Subject, revision: Revision?, payload: Payload
    ) {
        self.position = position
        self.time = time
        self.run = run
        self.subject = subject
        self.revision = revision
        self.payload = payload
    }
}

/// What an event is about.
package enum Subject: Hashable, Sendable {
    case run
    case table(TableName)
    case shard(ShardKey)

    /// The table that it is about, or that its shard is of.
    package var table: TableName? {
        switch self {
        case .run: nil
        case .table(let table): table
        case .shard(let shard): shard.table
        }
    }

    package var shard: ShardKey? {
        switch self {
        case .run, .table: nil
        case .shard(let shard): shard
        }
    }
}

/// What happened (DESIGN 3.1).
package enum Payload: Hashable, Sendable {
    case runStarted(RunStarted)
    case runStopped(RunStopped)
    case phaseChanged(PhaseChanged)
    case scanAdvanced(ScanAdvanced)
    case rowsSwept(RowsSwept)
    case repaired(Repaired)
    case scanFinished(ScanFinished)
    case shardDiscovered(ShardDiscovered)
    case queried(Queried)
    case iteratorResolved(IteratorResolved)
    case statusChanged(StatusChanged)
    case sequenceAdvanced(SequenceAdvanced)
    case faulted(Faulted)
    case rewound(Rewound)
    case rangeLost(RangeLost)
    case lossAcknowledged(LossAcknowledged)
    case recordRefused(RecordRefused)
    case refusalSettled(RefusalSettled)
    case inStep(InStep)
    case paused(Paused)
    case resumed(Resumed)
    case tableRemoved(TableRemoved)
    /// (Indirect: it is large, and there is one of a shard at most.)
    indirect case imported(Imported)
    /// What is left of old advances: read, never appended.
    case advancesFolded(AdvancesFolded)
    /// What is left of older events of a shard that is over: read, never appended. (Indirect: it is large, and rare.)
    indirect case historyFolded(HistoryFolded)
    /// A kind that this program doesn't know: written by a newer one. It changes nothing in the fold.
    case unknown(kind: UInt32, encoded: [UInt8])
}

/// A process opened the journal to write.
package struct RunStarted: Hashable, Sendable {
    /// `daemon` or the operator's command.
    package var role: String
    package var version: String
    package var host: String
    package var pid: Int32
    /// The source as the daemon reaches it, so that an operator's command can ask it too; empty for the rest.
    package var region: String
    package var endpoint: String
    /// What is filled from here on, without secrets; empty for the rest.
    package var target: String

    package init(
        role: String, version: String, host: String, pid: Int32, region: String = "", endpoint: String = "",
        target: String = ""
    ) {
        self.role = role
        self.version = version
        self.host = host
        self.pid = pid
        self.region = region
        self.endpoint = endpoint
        self.target = target
    }
}

/// A process closed the journal. A run that has none was killed.
package struct RunStopped: Hashable, Sendable {
    package var reason: String
    package init(reason: String) { self.reason = reason }
}

/// What is being done for a table.
package enum Phase: String, Hashable, CaseIterable, Sendable {
    case fullSync = "full_sync"
    case incrSync = "incr_sync"
}

/// A table entered a phase, or was found to need one again. Entering `full_sync` forgets the segments before it.
package struct PhaseChanged: Hashable, Sendable {
    package var from: Phase?
    package var to: Phase
    package var stream: StreamARN?
    package var reason: String
    /// Which table has the name; `nil`: the one that had it before.
    package var tableID: TableID?
    /// Which of its items are wanted; `nil`: those that were before.
    package var wanted: Wanted?

    package init(
        from: Phase?, to: Phase, stream: StreamARN?, reason: String, tableID: TableID? = nil, wanted: Wanted? = nil
    ) {
        self.from = from
        self.to = to
        self.stream = stream
        self.reason = reason
        self.tableID = tableID
        self.wanted = wanted
    }
}

/// Which items of a table are wanted.
package enum Wanted: Hashable, Sendable {
    case all
    /// Those for which a condition holds: this is its fingerprint.
    case matching(String)
}

/// A page of a segment is durable in the target.
package struct ScanAdvanced: Hashable, Sendable {
    package var segment: UInt32
    package var totalSegments: UInt32
    /// The position of a scan: the key that the service gave to go on from, as JSON. `nil`: the segment is at its end.
    package var lastEvaluatedKey: [UInt8]?
    /// Items and bytes of this page.
    package var items: UInt64
    package var bytes: UInt64
    package var targetToken: TargetToken?

    package init(
        segment: UInt32, totalSegments: UInt32, lastEvaluatedKey: [UInt8]?, items: UInt64, bytes: UInt64,
        targetToken: TargetToken?
    ) {
        self.segment = segment
        self.totalSegments = totalSegments
        self.lastEvaluatedKey = lastEvaluatedKey
        self.items = items
        self.bytes = bytes
        self.targetToken = targetToken
    }
}

/// Rows that the source has no more are gone from the target, after a full sync that was not the table's first: of one batch.
///
/// Says no place to go on from: a sweep that was interrupted begins again, and finds what is left.
package struct RowsSwept: Hashable, Sendable {
    package var rows: UInt64
    package var targetToken: TargetToken?

    package init(rows: UInt64, targetToken: TargetToken? = nil) {
        self.rows = rows
        self.targetToken = targetToken
    }
}

/// Rows of the target that differed from the source's were put right by `diff --repair`, which moves no place.
package struct Repaired: Hashable, Sendable {
    /// As the source has them.
    package var written: UInt64
    /// Since the source has them no more.
    package var removed: UInt64
    /// Without secrets.
    package var target: String
    package var author: String

    package init(written: UInt64, removed: UInt64, target: String, author: String) {
        self.written = written
        self.removed = removed
        self.target = target
        self.author = author
    }
}

/// The source has no table of this name any more. Its checkpoints stay, and so does what the target has of it.
package struct TableRemoved: Hashable, Sendable {
    /// The last stream that it was followed by.
    package var stream: StreamARN?
    package var tableID: TableID?

    package init(stream: StreamARN?, tableID: TableID?) {
        self.stream = stream
        self.tableID = tableID
    }
}

/// Every segment is durable in the target.
package struct ScanFinished: Hashable, Sendable {
    package var items: UInt64
    package init(items: UInt64) { self.items = items }
}

/// A shard was first seen in a listing, or its range changed (it was closed).
package struct ShardDiscovered: Hashable, Sendable {
    package var parent: ShardID?
    package var range: SequenceRange
    /// Where reading will begin: `trimHorizon`, or `latest` for a shard without a known ancestor (`--start-at latest`,
    /// and the anchor of a full sync). Said once, by the first discovery.
    package var start: IteratorType

    package init(parent: ShardID?, range: SequenceRange, start: IteratorType) {
        self.parent = parent
        self.range = range
        self.start = start
    }
}

/// A dispatcher took a shard up and read its checkpoint: what it saw.
package struct Queried: Hashable, Sendable {
    package var revision: Revision
    package var status: Status
    package var iteratorType: IteratorType
    package var sequenceNumber: SequenceNumber?
    /// Who took it up: host and pid.
    package var worker: String

    package init(
        revision: Revision, status: Status, iteratorType: IteratorType, sequenceNumber: SequenceNumber?,
        worker: String
    ) {
        self.revision = revision
        self.status = status
        self.iteratorType = iteratorType
        self.sequenceNumber = sequenceNumber
        self.worker = worker
    }
}

/// It was decided where to start, and the iterator obtained.
package struct IteratorResolved: Hashable, Sendable {
    /// The rule that fired, by its name in the start table (DESIGN 4.1).
    package var rule: String
    package var iteratorType: IteratorType
    package var sequenceNumber: SequenceNumber?
    package var iterator: ShardIterator?
    /// By the service's clock, and no later than a LATEST iterator was issued: every change made since then lies behind it.
    package var issued: Timestamp?

    package init(
        rule: String, iteratorType: IteratorType, sequenceNumber: SequenceNumber?, iterator: ShardIterator?,
        issued: Timestamp? = nil
    ) {
        self.rule = rule
        self.iteratorType = iteratorType
        self.sequenceNumber = sequenceNumber
        self.iterator = iterator
        self.issued = issued
    }
}

package struct StatusChanged: Hashable, Sendable {
    package var from: Status
    package var to: Status
    package var reason: String

    package init(from: Status, to: Status, reason: String) {
        self.from = from
        self.to = to
        self.reason = reason
    }
}

/// A batch is durable in the target.
package struct SequenceAdvanced: Hashable, Sendable {
    /// Of the batch's last record.
    package var sequenceNumber: SequenceNumber
    package var records: UInt64
    package var bytes: UInt64
    /// Of the batch's last record, to the second.
    package var approximateTime: Timestamp?
    package var targetToken: TargetToken?
    /// Of the batch's first record, where reading had begun at the trim horizon: nothing says what came before it.
    package var first: SequenceNumber?

    package init(
        sequenceNumber: SequenceNumber, records: UInt64, bytes: UInt64, approximateTime: Timestamp?,
        targetToken: TargetToken?, first: SequenceNumber? = nil
    ) {
        self.sequenceNumber = sequenceNumber
        self.records = records
        self.bytes = bytes
        self.approximateTime = approximateTime
        self.targetToken = targetToken
        self.first = first
    }
}

/// An error changed what the dispatcher does.
package struct Faulted: Hashable, Sendable {
    package var code: String
    package var message: String
    package var isRetried: Bool

    package init(code: String, message: String, isRetried: Bool) {
        self.code = code
        self.message = message
        self.isRetried = isRetried
    }
}

/// An operator or recovery moved the checkpoint.
package struct Rewound: Hashable, Sendable {
    package var from: SequenceNumber?
    /// `nil`: the shard's start.
    package var to: SequenceNumber?
    /// Whether the record at `to` is delivered again.
    package var inclusive: Bool
    package var reason: String
    /// Who: a user and host, or `recovery`.
    package var author: String
    /// The ancestor whose rewind set this shard back; `nil` for that ancestor itself.
    package var cascadeRoot: ShardID?
    /// The new one.
    package var epoch: Epoch

    package init(
        from: SequenceNumber?, to: SequenceNumber?, inclusive: Bool, reason: String, author: String,
        cascadeRoot: ShardID?, epoch: Epoch
    ) {
        self.from = from
        self.to = to
        self.inclusive = inclusive
        self.reason = reason
        self.author = author
        self.cascadeRoot = cascadeRoot
        self.epoch = epoch
    }
}

/// The stream no longer has what a checkpoint needs: of a shard, or of a table whose stream was replaced.
package struct RangeLost: Hashable, Sendable {
    package var cause: LossCause
    /// The last record before the gap; `nil`: the shard's start.
    package var from: SequenceNumber?
    /// The first after it, as far as it is known.
    package var to: SequenceNumber?
    /// What was made up to then is not lost.
    package var since: Timestamp?
    /// What is done about it.
    package var policy: LossPolicy
    /// What the service said, or what is known besides.
    package var detail: String

    package init(
        cause: LossCause, from: SequenceNumber?, to: SequenceNumber?, since: Timestamp?, policy: LossPolicy,
        detail: String
    ) {
        self.cause = cause
        self.from = from
        self.to = to
        self.since = since
        self.policy = policy
        self.detail = detail
    }
}

/// An operator has seen a loss, and may have said how the table that it stopped goes on.
package struct LossAcknowledged: Hashable, Sendable {
    package var author: String
    package var reason: String
    /// `skip` or `resync`; `nil`: a table that is stopped stays stopped.
    package var remedy: LossPolicy?

    package init(author: String, reason: String, remedy: LossPolicy?) {
        self.author = author
        self.reason = reason
        self.remedy = remedy
    }
}

/// The target can't hold a record for what it is. It lies in `dead-letters.jsonl`, and the shard goes on.
package struct RecordRefused: Hashable, Sendable {
    /// `nil` for an item of a full sync.
    package var sequenceNumber: SequenceNumber?
    package var code: String
    /// What the target said.
    package var cause: String
    /// The line in `dead-letters.jsonl`: where it begins, and its bytes.
    package var offset: UInt64
    package var bytes: UInt64

    package init(sequenceNumber: SequenceNumber?, code: String, cause: String, offset: UInt64, bytes: UInt64) {
        self.sequenceNumber = sequenceNumber
        self.code = code
        self.cause = cause
        self.offset = offset
        self.bytes = bytes
    }
}

/// An operator has dealt with a refused record by hand.
package struct RefusalSettled: Hashable, Sendable {
    /// Of the `record_refused`.
    package var refusal: Position
    package var author: String
    package var reason: String

    package init(refusal: Position, author: String, reason: String) {
        self.refusal = refusal
        self.author = author
        self.reason = reason
    }
}

/// A sign of life of a shard that had been silent for hours: it was read as far as it goes.
///
/// Without it nobody could say, after a stop, whether a shard's last record left the stream with others behind it.
package struct InStep: Hashable, Sendable {
    /// What was made up to then is in the target.
    package var until: Timestamp

    package init(until: Timestamp) { self.until = until }
}

/// An operator has stopped the reading of a shard, or of all of a table, until it is resumed.
package struct Paused: Hashable, Sendable {
    package var author: String
    package var reason: String

    package init(author: String, reason: String) {
        self.author = author
        self.reason = reason
    }
}

/// An operator lets a shard, or a table, go on from where it stands.
package struct Resumed: Hashable, Sendable {
    package var author: String
    package var reason: String

    package init(author: String, reason: String) {
        self.author = author
        self.reason = reason
    }
}
