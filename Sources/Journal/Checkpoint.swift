package import StreamModel

/// The folded state of one shard.
package struct Checkpoint: Hashable, Sendable {
    package let shard: ShardKey
    package var parent: ShardID?
    package var range: SequenceRange
    package var status: Status
    package var iteratorType: IteratorType
    /// The last record that is durable in the target (`afterSequenceNumber`), or the one to be read again
    /// (`atSequenceNumber`). This, and no iterator, is the place that is kept.
    package var sequenceNumber: SequenceNumber?
    package var storedIterator: StoredIterator?
    package var worker: String?
    /// When the last durable record was made at the source, to the second.
    package var approximateTime: Timestamp?
    package var epoch: Epoch
    package var revision: Revision
    /// Of the last event.
    package var position: Position
    /// Time of the last event.
    package var updated: Timestamp
    /// Durable in the target since the shard was discovered, replays included.
    package var records: UInt64
    package var bytes: UInt64
    package var targetToken: TargetToken?
    package var lastFault: Fault?
    /// What the stream no longer had, until an operator acknowledges it.
    package var loss: Loss?
    /// Records that the target can't hold, until they are delivered after all or settled by hand. Bounded by the daemon's
    /// limit of dead letters.
    package var refusals: [RefusedRecord]
    /// What was made up to then is in the target, though no record says so.
    package var accountedUntil: Timestamp?
    /// When the shard was last set to the oldest record left: what had gone by then was said to be lost.
    package var lossDeclared: Timestamp?
    /// Why it is not read, where an operator has said so; nothing of a shard that is over can be paused.
    package var pause: Pause?
    /// Of a place that was imported, as long as nothing was brought since: since when records may be owed, or 1970 where nobody
    /// knows. What lies before the place is in the target by another program's word, and not by any position there.
    package var importedSince: Timestamp?

    /// The last error that changed what is done, and when.
    package struct Fault: Hashable, Sendable {
        package var code: String
        package var message: String
        package var time: Timestamp
        /// Whether what failed is tried again without an operator.
        package var isRetried: Bool

        package init(code: String, message: String, time: Timestamp, isRetried: Bool = true) {
            self.code = code
            self.message = message
            self.time = time
            self.isRetried = isRetried
        }
    }

    /// A shard as its first discovery leaves it, before the event's own place is set.
    package init(shard: ShardKey, discovered: ShardDiscovered, position: Position, time: Timestamp) {
        self.shard = shard
        parent = discovered.parent
        range = discovered.range
        status = .notProcessed
        iteratorType = discovered.start
        epoch = .first
        revision = Revision(1)
        self.position = position
        updated = time
        records = 0
        bytes = 0
        refusals = []
    }
}

/// What is known to be going on with a shard (DESIGN 1).
package enum Status: String, Hashable, CaseIterable, Sendable {
    case notProcessed = "not_processed"
    /// What it holds, or held, is not ours to bring: it is older than the anchor of the table's full sync, or than the
    /// journal's first knowledge of the shard.
    case notNeeded = "not_needed"
    case prepared = "prepared"
    case inProcessing = "in_processing"
    case waitingForParent = "waiting_for_parent"
    /// Read to its end, and all of it is durable in the target.
    case done = "done"
    /// Gone from the stream before it was read to its end: the loss was declared, and nothing more can come.
    case lost = "lost"

    /// Nothing more will be read from such a shard, so its children may be.
    package var letsChildrenStart: Bool { self == .done || self == .notNeeded || self == .lost }
}

/// What row 4 of the start table may begin with instead of a sequence number.
package enum StoredIterator: Hashable, Sendable {
    /// The marker "see sequence number": the checkpoint's own number is still to be read.
    case seeSequenceNumber
    /// An iterator from before any record was read, and when it was obtained: by the service's clock where it said so.
    case iterator(ShardIterator, obtained: Timestamp)
}

/// The folded state of one table.
package struct TableState: Hashable, Sendable {
    package let table: TableName
    /// Which table has the name; `nil` where no event has said so.
    package var id: TableID?
    package var stream: StreamARN?
    /// Which of its items the target holds; `nil` where no event has said so.
    package var wanted: Wanted?
    package var phase: Phase?
    /// Whether it ever was in `incr_sync`: what its place in the target held then is what the source had.
    package var hasBeenFollowed = false
    package var reason: String
    /// The newest full sync, going on or finished; `nil` where the table was never scanned.
    package var fullSync: FullSyncID?
    /// The segments of the current or last full sync, by number; empty before it has written anything.
    package var segments: [Segment]
    /// The event that began the newest full sync: what shards had brought before it is in the scan.
    package var scanBegan: Position?
    package var targetToken: TargetToken?
    package var lastFault: Checkpoint.Fault?
    /// The table's own, as that of a stream that was replaced; those of shards are in their checkpoints.
    package var loss: Loss?
    /// Positions of the events by which items of the newest full sync were refused, save those that are settled.
    package var refusals: [Position]
    /// Why none of its shards is read, nor the table scanned, where an operator has said so.
    package var pause: Pause?
    /// Since when the source has it no more; `nil` while it has.
    package var removed: Timestamp?
    package var position: Position
    package var updated: Timestamp

    package struct Segment: Hashable, Sendable {
        package var segment: UInt32
        package var totalSegments: UInt32
        package var lastEvaluatedKey: [UInt8]?
        package var isFinished: Bool
        package var items: UInt64
        package var bytes: UInt64

        package init(
            segment: UInt32, totalSegments: UInt32, lastEvaluatedKey: [UInt8]?, isFinished: Bool, items: UInt64,
            bytes: UInt64
        ) {
            self.segment = segment
            self.totalSegments = totalSegments
            self.lastEvaluatedKey = lastEvaluatedKey
            self.isFinished = isFinished
            self.items = items
            self.bytes = bytes
        }
    }

    package init(table: TableName) {
        self.table = table
        reason = ""
        segments = []
        refusals = []
        position = .origin
        updated = Timestamp(microseconds: 0)
    }

    package var items: UInt64 { segments.reduce(0) { $0 + $1.items } }
}
