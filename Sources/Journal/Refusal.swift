package import StreamModel

/// Why an event can't follow what is in the journal. Such an event is never appended, so no history is impossible.
package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package let shard: ShardKey
    /// Of the checkpoint, and of the event that can't follow it.
    package let revision: Revision
    package let attempted: Revision
    /// The event's kind.
    package let kind: String
    package let rule: String

    package init(shard: ShardKey, revision: Revision, attempted: Revision, kind: String, rule: String) {
        self.shard = shard
        self.revision = revision
        self.attempted = attempted
        self.kind = kind
        self.rule = rule
    }

    package var description: String {
        "shard \(shard): \(kind) as revision \(attempted) can't follow revision \(revision): \(rule)"
    }
}
