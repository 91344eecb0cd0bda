/// A shard as a listing shows it (DescribeStream).
package struct Shard: Hashable, Sendable {
    package let id: ShardID
    /// May name a shard that the listing no longer holds (trimmed): its records are gone, so it counts as done.
    package let parent: ShardID?
    package let range: SequenceRange

    package init(id: ShardID, parent: ShardID?, range: SequenceRange) {
        self.id = id
        self.parent = parent
        self.range = range
    }
}

/// The sequence numbers of a shard. Without an ending the shard is open.
package struct SequenceRange: Hashable, Sendable {
    package var starting: SequenceNumber?
    package var ending: SequenceNumber?

    package init(starting: SequenceNumber? = nil, ending: SequenceNumber? = nil) {
        self.starting = starting
        self.ending = ending
    }

    package var isClosed: Bool { ending != nil }
}
