package import Journal
package import StreamModel

/// Where reading a shard begins.
package struct Start: Hashable, Sendable {
    /// The place as GetShardIterator knows it, or a cursor to it.
    package enum Place: Hashable, Sendable {
        /// The oldest record that the stream still has.
        case trimHorizon
        /// Behind the newest record at the moment of asking.
        case latest
        /// That record comes first.
        case at(SequenceNumber)
        /// The one behind it comes first.
        case after(SequenceNumber)
        /// A cursor that is at hand already.
        case iterator(ShardIterator)
    }

    package var place: Place
    /// Records made before this are older than the anchor and are dropped; only with `trimHorizon`.
    package var notBefore: Timestamp?
    /// Records up to this one are in the target and are dropped; only with `trimHorizon`.
    package var after: SequenceNumber?

    package init(_ place: Place, notBefore: Timestamp? = nil, after: SequenceNumber? = nil) {
        self.place = place
        self.notBefore = notBefore
        self.after = after
    }

    /// Whether a change that the stream gives from here on is to be delivered.
    package func admits(_ change: Change) -> Bool {
        if let notBefore, let time = change.approximateTime, time < notBefore { return false }
        if let after, let number = change.sequenceNumber, number <= after { return false }
        return true
    }

    /// Whether every change is.
    package var admitsAll: Bool { notBefore == nil && after == nil }

    /// How the service, and the journal, call this place.
    package var iteratorType: IteratorType {
        switch place {
        case .trimHorizon: .trimHorizon
        case .latest, .iterator: .latest
        case .at: .atSequenceNumber
        case .after: .afterSequenceNumber
        }
    }

    /// What the service is to be asked with besides `iteratorType`.
    package var sequenceNumber: SequenceNumber? {
        switch place {
        case .at(let number), .after(let number): number
        case .trimHorizon, .latest, .iterator: nil
        }
    }
}

/// Where a shard starts: DESIGN 4.1 as a table. Facts in, one row out; no clock, no I/O.
package enum StartTable {
    /// The rows, in order: the first that fits fires. The name goes into `iterator_resolved`.
    package enum Rule: String, CaseIterable, Sendable {
        /// 1: an iterator was handed over in memory.
        case handedOver = "handed_over"
        /// 0, before 2: the shard has not been anchored yet, so LATEST still means what the operator asked for.
        case unanchoredLatest = "unanchored_latest"
        /// 2: LATEST was promised and nothing says where it was.
        case latestLost = "latest_lost"
        /// 3: the checkpoint's own number is still to be read.
        case seeSequenceNumber = "see_sequence_number"
        /// 4: an iterator from before any record was read, while it can be alive.
        case storedIterator = "stored_iterator"
        /// 4, its end: the iterator is dead and no record was ever read.
        case sinceAnchor = "since_anchor"
        /// 6, where that record alone has left the stream: the shard was in step since.
        case inStepHorizon = "in_step_horizon"
        /// 5.
        case trimHorizon = "trim_horizon"
        /// 6: anything else.
        case afterSequenceNumber = "after_sequence_number"
    }

    /// What the table says of a shard.
    package enum Decision: Hashable, Sendable {
        /// Begin there, by that row.
        case start(Start, Rule)
        /// Row 2: only a full sync can tell what the shard's table holds.
        case needsFullSync
    }

    /// How long an iterator lives after it was issued (API Reference, GetShardIterator). NimoShake's 30 is wrong.
    package static let iteratorLifetime: Duration = .seconds(15 * 60)

    /// - Parameters:
    ///   - handedOver: an iterator in memory for this shard; the caller takes it out of its map.
    ///   - expired: the service said so of the iterator that rows 1 or 4 gave.
    ///   - atHorizon: the record of row 6 has left the stream, and nothing that came after it.
    package static func decide(
        _ checkpoint: Checkpoint, handedOver: ShardIterator?, expired: Bool, atHorizon: Bool = false, now: Timestamp
    ) -> Decision {
        if atHorizon, let number = checkpoint.sequenceNumber {
            return .start(Start(.trimHorizon, after: number), .inStepHorizon)
        }
        if let handedOver, !expired { return .start(Start(.iterator(handedOver)), .handedOver) }

        switch (checkpoint.iteratorType, checkpoint.storedIterator, checkpoint.sequenceNumber) {
        case (.latest, nil, _):
            switch checkpoint.status {
            case .prepared, .inProcessing, .waitingForParent: return .needsFullSync
            case .notProcessed: return .start(Start(.latest), .unanchoredLatest)
            case .notNeeded, .done, .lost: return anythingElse(checkpoint.sequenceNumber)
            }
        case (.latest, .seeSequenceNumber, let number?), (.atSequenceNumber, _, let number?):
            return .start(Start(.at(number)), .seeSequenceNumber)
        case (.latest, .iterator(let iterator, let obtained), let number):
            if !expired, now - obtained < iteratorLifetime {
                return .start(Start(.iterator(iterator)), .storedIterator)
            }
            if number != nil { return anythingElse(number) }
            let notBefore = silent(from: obtained, until: checkpoint.accountedUntil).wholeSecond
            return .start(Start(.trimHorizon, notBefore: notBefore), .sinceAnchor)
        case (.trimHorizon, _, _):
            // With a number after a loss that was skipped: what is left comes after it.
            return .start(Start(.trimHorizon, after: checkpoint.sequenceNumber), .trimHorizon)
        case (.latest, .seeSequenceNumber, nil), (.atSequenceNumber, _, nil), (.afterSequenceNumber, _, _):
            return anythingElse(checkpoint.sequenceNumber)
        }
    }

    /// The moment that parts what is older than the anchor from what is newer, by the time that a record bears.
    ///
    /// Where the shard said that it was in step since and nothing had come, no record was made between the two: half way, neither
    /// the second to which records are rounded nor a clock that is a little off takes one for the other. Records of the
    /// anchor's own second would be read again, and the sign of being in step would then speak for more than was delivered.
    private static func silent(from anchored: Timestamp, until inStep: Timestamp?) -> Timestamp {
        guard let inStep, inStep > anchored else { return anchored }
        return anchored + (inStep - anchored) / 2
    }

    /// AFTER without a number is an error of the service's (FACTS 1.4); the shard's own start loses nothing.
    private static func anythingElse(_ number: SequenceNumber?) -> Decision {
        guard let number else { return .start(Start(.trimHorizon), .trimHorizon) }
        return .start(Start(.after(number)), .afterSequenceNumber)
    }
}

extension Timestamp {
    /// Rounded down, as the service rounds a record's time.
    package var wholeSecond: Timestamp { Timestamp(microseconds: microseconds - microseconds % 1_000_000) }
}
