package import Journal
package import StreamModel

/// Compares what a target says that it holds with what the journal says (DESIGN 4.5).
package enum Recovery {
    package enum Verdict: Hashable, Sendable {
        case inStep
        /// The target has more: it was written to and the append never came. Nothing is replayed.
        case advance(to: SequenceNumber)
        /// The target has less: it was restored from a backup.
        case rewind(to: SequenceNumber)
        /// The target holds nothing of a shard that the journal holds: it is another one, or was emptied.
        case targetIsEmpty
    }

    /// - Parameter position: what the target says of the shard, if anything.
    package static func compare(_ checkpoint: Checkpoint, with position: ShardPosition?) -> Verdict {
        guard let position else {
            // What is read again from the shard's start misses nothing of it.
            let goesOn = checkpoint.iteratorType == .afterSequenceNumber || checkpoint.iteratorType == .atSequenceNumber
            return goesOn && checkpoint.status != .notNeeded && checkpoint.records > 0 ? .targetIsEmpty : .inStep
        }
        guard position.epoch == checkpoint.epoch else {
            // The shard was rewound since: what was applied before says nothing about what is to be applied now. But once the
            // journal has gone on from the rewind, a target that never heard of it was restored from before it.
            let hasAdvancedSince = checkpoint.iteratorType == .afterSequenceNumber && checkpoint.approximateTime != nil
            if position.epoch < checkpoint.epoch, hasAdvancedSince, let number = checkpoint.sequenceNumber,
                position.sequenceNumber < number
            {
                return .rewind(to: position.sequenceNumber)
            }
            return .inStep
        }
        guard let number = checkpoint.sequenceNumber else { return .advance(to: position.sequenceNumber) }
        if checkpoint.iteratorType == .atSequenceNumber {
            return position.sequenceNumber >= number ? .advance(to: position.sequenceNumber) : .inStep
        }
        if position.sequenceNumber > number { return .advance(to: position.sequenceNumber) }
        if position.sequenceNumber < number { return .rewind(to: position.sequenceNumber) }
        return .inStep
    }
}
