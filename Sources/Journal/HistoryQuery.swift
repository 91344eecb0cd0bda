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

    func admits(_ event: Event) -> Bool {
        (since.map { event.time >= $0 } ?? true) && (until.map { event.time <= $0 } ?? true)
            && (kinds?.contains(event.payload.kind) ?? true)
    }
}

/// What `verify` found whole.
package struct VerifyReport: Hashable, Sendable {
    package let events: UInt64
    package let shards: Int
    package let lastPosition: Position
}
