package import StreamModel

/// Which of a shard's events are wanted.
package struct HistoryQuery: Hashable, Sendable {
    package var since: Timestamp?
    package var until: Timestamp?
    /// Kinds of events, by `Payload.kind`; `nil` is all.
    package var kinds: Set<String>?
    /// At most so many, counted in the order that is asked for.
    package var limit: Int?
    package var newestFirst: Bool

    package init(
        since: Timestamp? = nil, until: Timestamp? = nil, kinds: Set<String>? = nil, limit: Int? = nil,
        newestFirst: Bool = false
    ) {
        self.since = since
        self.until = until
        self.kinds = kinds
        self.limit = limit
        self.newestFirst = newestFirst
    }

    /// Folded events are what they were made of: some of them were within, and where advances are among them, their kind is
    /// `sequence_advanced` too.
    func admits(_ event: Event) -> Bool {
        let start = event.payload.since ?? event.time
        var kinds = [event.payload.kind]
        if event.payload.advance != nil { kinds.append("sequence_advanced") }
        return (since.map { event.time >= $0 } ?? true) && (until.map { start <= $0 } ?? true)
            && (self.kinds.map { !$0.isDisjoint(with: kinds) } ?? true)
    }
}

/// How a shard stood at some moment.
package struct Standing: Hashable, Sendable {
    /// `nil` before its discovery.
    package internal(set) var checkpoint: Checkpoint?
    /// Events among which the moment lies, and which were folded together since: the checkpoint is the one before them.
    package internal(set) var folded: Event?

    package init(checkpoint: Checkpoint? = nil, folded: Event? = nil) {
        self.checkpoint = checkpoint
        self.folded = folded
    }
}

/// What `verify` found whole.
package struct VerifyReport: Hashable, Sendable {
    /// As many events are there, word by word.
    package let events: UInt64
    /// And so many were folded together.
    package let folded: UInt64
    package let shards: Int
    package let lastPosition: Position

    init(events: UInt64, folded: UInt64 = 0, shards: Int, lastPosition: Position) {
        self.events = events
        self.folded = folded
        self.shards = shards
        self.lastPosition = lastPosition
    }
}
