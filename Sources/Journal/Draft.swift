package import StreamModel

/// Events to be appended about one subject.
package struct Draft: Hashable, Sendable {
    package let subject: Subject
    /// The revision that the writer last saw of a shard; another one found at the append is a `conflict`. `nil` for
    /// tables and runs, which have none.
    package let expecting: Revision?
    /// The full sync that it ends, of a table: where another one is due by the time of the append, that is `superseded`.
    package let during: FullSyncID?
    package let payloads: [Payload]

    package init(shard: ShardKey, expecting: Revision, _ payloads: [Payload]) {
        subject = .shard(shard)
        self.expecting = expecting
        during = nil
        self.payloads = payloads
    }

    var isOneAdvance: Bool {
        guard payloads.count == 1, case .sequenceAdvanced = payloads[0] else { return false }
        return true
    }

    /// About the run itself.
    init(run payload: Payload) {
        subject = .run
        expecting = nil
        during = nil
        payloads = [payload]
    }

    package init(table: TableName, during: FullSyncID? = nil, _ payloads: [Payload]) {
        subject = .table(table)
        expecting = nil
        self.during = during
        self.payloads = payloads
    }
}

/// What an append made durable of one draft.
package struct Receipt: Hashable, Sendable {
    /// Of the draft's last event.
    package let position: Position
    /// The folded checkpoint after it, where the draft was about a shard.
    package let checkpoint: Checkpoint?

    package init(position: Position, checkpoint: Checkpoint?) {
        self.position = position
        self.checkpoint = checkpoint
    }
}
