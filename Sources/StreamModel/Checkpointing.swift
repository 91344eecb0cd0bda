/// How many times a shard has been rewound; it separates what was applied before a rewind from what comes after.
package struct Epoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let number: UInt64
    package init(_ number: UInt64) { self.number = number }
    package static let first = Epoch(0)
    package var next: Epoch { Epoch(number &+ 1) }
    package var description: String { String(number) }
    package static func < (a: Epoch, b: Epoch) -> Bool { a.number < b.number }
}

/// What a target says about where its durable data ends, in words of its own (`jsonl` says a byte offset). The
/// journal keeps it with each advance and hands it back at recovery; nobody else reads it.
package struct TargetToken: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}

/// Which full sync of a table: the time of the event that began it, in microseconds, so that two journals' differ.
package struct FullSyncID: Hashable, Sendable {
    package let number: UInt64
    package init(_ number: UInt64) { self.number = number }
}

/// How far a target itself says that it holds a segment of a full sync, stored in the transaction of the data.
package struct SegmentPosition: Hashable, Sendable {
    package let fullSync: FullSyncID
    package let segment: UInt32
    /// Items of the segment so far, from its start.
    package let items: UInt64

    package init(fullSync: FullSyncID, segment: UInt32, items: UInt64) {
        self.fullSync = fullSync
        self.segment = segment
        self.items = items
    }
}

/// How far a target itself says that it holds a shard, stored in the transaction of the data.
package struct ShardPosition: Hashable, Sendable {
    package let shard: ShardKey
    package let epoch: Epoch
    package let sequenceNumber: SequenceNumber

    package init(shard: ShardKey, epoch: Epoch, sequenceNumber: SequenceNumber) {
        self.shard = shard
        self.epoch = epoch
        self.sequenceNumber = sequenceNumber
    }
}
