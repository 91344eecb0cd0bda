package import Journal
package import StreamModel

/// Compares what a target says that it holds with what the journal says (DESIGN 4.5).
package enum Recovery {
    /// What the two say of a shard together.
    package enum Verdict: Hashable, Sendable {
        /// The target has all that the journal says, or its word is of another epoch.
        case inStep
        /// The target has more: it was written to and the append never came. Nothing is replayed.
        case advance(to: SequenceNumber)
        /// The target has less: it was restored from a backup.
        case rewind(to: SequenceNumber)
        /// The target has nothing of a shard of which the journal has: it is older than the shard's first record, was
        /// emptied, or is another one.
        case startAgain

        /// For whoever observes the verdicts.
        package var name: String {
            switch self {
            case .inStep: "in step"
            case .advance: "advance"
            case .rewind: "rewind"
            case .startAgain: "start again"
            }
        }
    }

    /// How old a record may be that the stream is sure to hold for as long as it takes to read it: 24 hours (API Reference,
    /// TrimmedDataAccessException), less one.
    package static let surelyHeld: Duration = .seconds(23 * 3600)

    /// For how long it holds what was decided about the oldest record that is left: by then the stream has let go of nothing that
    /// was not looked for.
    package static let decision: Duration = .seconds(300)

    /// The first segment of the table's full sync of which the target holds less than the journal says.
    ///
    /// A target that holds more was written to without the append that follows: its rows come again.
    package static func missingSegment(of state: TableState, in positions: [SegmentPosition]) -> UInt32? {
        state.segments.first { segment in
            !positions.contains {
                $0.segment == segment.segment && $0.fullSync == state.fullSync && $0.items >= segment.items
            }
        }?.segment
    }

    /// Whether the target lacks what it once held of a shard that an operator has set back to its start since: it was restored from
    /// a backup from before that. The checkpoint alone doesn't tell.
    ///
    /// - Parameters:
    ///   - position: what the target says of the shard, if anything.
    ///   - history: the shard's rewinds and advances, oldest first.
    package static func wasRestored(_ position: ShardPosition?, _ history: some Sequence<Event>) -> Bool {
        var epoch = Epoch.first
        var newest: (epoch: Epoch, number: SequenceNumber)?
        for event in history {
            if case .rewound(let rewound) = event.payload {
                epoch = rewound.epoch
                // What the target lacked then was said.
                if rewound.author == ShardDesk.author { newest = nil }
            } else if let advance = event.payload.advance {
                newest = (epoch, advance.sequenceNumber)
            }
        }
        guard let newest else { return false }
        guard let position else { return true }
        return (position.epoch, position.sequenceNumber) < newest
    }

    /// The rewind whose replay the journal has begun, and of which the target holds nothing: it was restored from a backup from before.
    /// What ancestors of the shard have replayed may be in that backup, over what the shard had brought before: so all of the replay
    /// is brought again, however far the target's own position has come.
    ///
    /// - Parameters:
    ///   - position: what the target says of the shard.
    ///   - history: the shard's rewinds and advances, the newest first.
    package static func lostReplay(
        _ checkpoint: Checkpoint, _ position: ShardPosition?, _ history: some Sequence<Event>
    ) -> Rewound? {
        guard let position, position.epoch < checkpoint.epoch, checkpoint.sequenceNumber != nil else { return nil }
        var hasAdvanced = false
        for event in history {
            if case .rewound(let rewound) = event.payload { return hasAdvanced ? rewound : nil }
            if event.payload.advance != nil { hasAdvanced = true }
        }
        return nil
    }

    /// Rewinds that the target has lived through and the journal knows nothing of, since it was restored from before them: from where on
    /// nobody knows what lies over what, and how many there were.
    ///
    /// The journal must come into the target's epoch before anything is compared or rewound: in one that the target has left behind,
    /// its older rows count for newer ones, and the next rewind would be taken for one that was delivered.
    ///
    /// One that is to be read from its start by the journal's word too is no matter of this: see `ShardDesk.undermined`.
    ///
    /// - Returns: `place` is `nil` for the start of a shard that is over without a number: older than the anchor, lost, or empty since
    ///   then. What was read of it all the same was read in the rewinds.
    package static func lostRewinds(
        _ checkpoint: Checkpoint, _ position: ShardPosition?
    ) -> (place: SequenceNumber?, count: UInt64)? {
        guard let position, position.epoch > checkpoint.epoch,
            checkpoint.sequenceNumber != nil || checkpoint.status.letsChildrenStart
        else { return nil }
        // More than an operator can have made are damage; what is left after so many is found again at the next start.
        let count = min(position.epoch.number - checkpoint.epoch.number, 1000)
        return (checkpoint.sequenceNumber.map { min($0, position.sequenceNumber) }, count)
    }

    /// Whether what is or was read again of a shard can lie over what the target holds of its descendants, though nothing of these was
    /// read by this journal: it was restored from before that.
    ///
    /// What the target holds of the shard in its first epoch is all that this ever brought. Where it holds nothing, the shard may have
    /// been unknown, or empty but for what is older than its anchor; and since a rewind it may be anywhere in its replay.
    ///
    /// - Parameters:
    ///   - checkpoint: of the shard; `nil`: it is only discovered now.
    ///   - position: what the target said of it at the start, if anything.
    ///   - isAboveKnown: the journal knows the descendant already. If it only discovers the shard now, that is listed late, and may
    ///     have been before: what the target holds of the descendant may be from before all that it holds of the shard.
    package static func undermines(
        _ checkpoint: Checkpoint?, _ position: ShardPosition?, isAboveKnown: Bool
    ) -> Bool {
        guard let checkpoint else { return isAboveKnown || position?.epoch != .first }
        switch checkpoint.status {
        case .notNeeded, .lost: return false
        // What the journal knew below it was set back with it.
        case .done where isAboveKnown: return false
        // By this journal, and after what the target holds: its descendants have to be newer.
        case .done:
            return checkpoint.epoch > .first || position.map { $0.epoch != .first } ?? (checkpoint.records > 0)
        case .notProcessed, .prepared, .waitingForParent, .inProcessing:
            return checkpoint.epoch > .first || position?.epoch != .first
        }
    }

    /// - Parameter position: what the target says of the shard, if anything.
    package static func compare(_ checkpoint: Checkpoint, with position: ShardPosition?) -> Verdict {
        guard let position else {
            // What is read again from the shard's start misses nothing of it. And of what another program has brought no position
            // speaks: as long as nothing was brought since, the target has what was said to be there.
            return checkpoint.sequenceNumber == nil || checkpoint.importedSince != nil ? .inStep : .startAgain
        }
        guard position.epoch == checkpoint.epoch else {
            // The shard was rewound since: what was applied before says nothing about what is to be applied now. But a rewind
            // goes back from what the target held, so one that holds less than even the rewound checkpoint was restored from
            // before it.
            if position.epoch < checkpoint.epoch, let number = checkpoint.sequenceNumber,
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
