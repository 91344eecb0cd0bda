package import StreamModel

/// Why the stream no longer has what a checkpoint needs.
package enum LossCause: String, Hashable, CaseIterable, Sendable {
    /// The service said that what comes next has left the stream (`TrimmedDataAccessException`).
    case trimmed
    /// The shard itself is no longer there, and had not been read to its end.
    case shardGone = "shard_gone"
    /// Nobody read the shard for longer than the stream keeps its records: what had left by then went without a word.
    case stoodStill = "stood_still"
    /// The table has another stream than the journal knows.
    case streamReplaced = "stream_replaced"
}

/// What is done where records are lost (`--on-loss`).
package enum LossPolicy: String, Hashable, CaseIterable, Sendable {
    /// The table stops, and waits for an operator.
    case stop
    /// It goes on with the oldest record that the stream still has.
    case skip
    /// It is scanned in full again, which brings what the lost changes led to.
    case resync
}

/// A loss that the journal knows and that nobody has acknowledged, or that its table is stopped by.
package struct Loss: Hashable, Sendable {
    /// As its event said it.
    package var lost: RangeLost
    /// Of the event.
    package var time: Timestamp
    package var position: Position
    package var isAcknowledged: Bool
    /// How an operator has said that the stopped table is to go on.
    package var remedy: LossPolicy?

    package init(
        _ lost: RangeLost, time: Timestamp, position: Position, isAcknowledged: Bool = false, remedy: LossPolicy? = nil
    ) {
        self.lost = lost
        self.time = time
        self.position = position
        self.isAcknowledged = isAcknowledged
        self.remedy = remedy
    }

    /// Whether a table stands still for it, and nobody has said how it goes on.
    package var stops: Bool { lost.policy == .stop && remedy == nil }

    /// Whether an operator may say how its table goes on: nobody has, or the daemon has yet to take it up.
    package var takesRemedy: Bool { lost.policy == .stop }

    /// What is known after `lost`, where this was known before.
    ///
    /// One that an operator has already said how to go on from is dealt with. Where several come before anybody
    /// acknowledges one, they are one that reaches from the first gap to the last.
    static func after(_ lost: RangeLost, _ known: Loss?, position: Position, time: Timestamp) -> Loss? {
        if let known, known.remedy == lost.policy { return nil }
        var lost = lost
        if let open = known, !open.isAcknowledged { (lost.from, lost.since) = (open.lost.from, open.lost.since) }
        return Loss(lost, time: time, position: position)
    }

    /// What is left of it once an operator has seen it: a table that stopped for it stays stopped until a remedy is said.
    func acknowledged(_ word: LossAcknowledged) -> Loss? {
        guard lost.policy == .stop else { return nil }
        var loss = self
        loss.isAcknowledged = true
        loss.remedy = word.remedy ?? remedy
        return loss
    }
}

/// A record, or an item of a full sync, that the target can't hold and that waits in `dead-letters.jsonl`.
package struct RefusedRecord: Hashable, Sendable {
    /// Of its `record_refused`: its name for an operator.
    package let position: Position
    package let sequenceNumber: SequenceNumber
    package let epoch: Epoch

    package init(position: Position, sequenceNumber: SequenceNumber, epoch: Epoch) {
        self.position = position
        self.sequenceNumber = sequenceNumber
        self.epoch = epoch
    }
}
