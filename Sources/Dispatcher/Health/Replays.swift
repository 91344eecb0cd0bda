package import Journal
package import StreamModel

/// Whether a shard is read over and over from one place: records come each time, and its checkpoint never passes them.
///
/// Each round may end in a way of its own that is tried again (a batch that the journal doesn't take, an answer that fails, the
/// daemon's own rewind). Only that all of them began at the same place shows that nothing gets on.
package struct Replays: Hashable, Sendable {
    /// As often may records come from one place.
    package static let limit = 3

    /// Where a round begins.
    package struct Place: Hashable, Sendable, CustomStringConvertible {
        private let type: IteratorType
        private let number: SequenceNumber?

        package init(_ checkpoint: Checkpoint) {
            type = checkpoint.iteratorType
            number = checkpoint.sequenceNumber
        }

        package var description: String {
            switch (type, number) {
            case (.afterSequenceNumber, let number?): "after \(number)"
            case (.atSequenceNumber, let number?): "at \(number)"
            case (.trimHorizon, let number?): "the oldest record left after \(number)"
            case (.latest, _): "its anchor"
            case (_, nil), (_, .some): "its start"
            }
        }
    }

    private struct Row: Hashable {
        let place: Place
        var epoch: Epoch
        let since: Timestamp
        /// Rounds that brought records.
        var times = 0
        var hasBrought = false
        /// What came is durable, or nothing is left that could come.
        var hasPassed = false
    }

    private var row: Row?

    package init() {}

    /// Of the round that goes on, or of the last one.
    package var epoch: Epoch? { row?.epoch }

    /// A round begins.
    ///
    /// - Parameter isSetBack: the daemon itself has set the checkpoint back, and no operator. What was passed before that is to
    ///   come again, and so the row goes on.
    package mutating func begins(at place: Place, _ epoch: Epoch, isSetBack: Bool, now: Timestamp) {
        guard var row, row.place == place, row.epoch == epoch ? !row.hasPassed : isSetBack else {
            row = Row(place: place, epoch: epoch, since: now)
            return
        }
        row.epoch = epoch
        row.hasBrought = false
        row.hasPassed = false
        self.row = row
    }

    /// Records have come.
    ///
    /// - Returns: whether that is the first of the row that is one too many.
    package mutating func brought() -> Bool {
        guard var row, !row.hasBrought else { return false }
        row.hasBrought = true
        row.times += 1
        self.row = row
        return row.times == Self.limit + 1
    }

    /// The checkpoint has moved on, or the shard has shown all that it has.
    package mutating func passed() { row?.hasPassed = true }

    /// The row, where it is too long.
    package var sign: VitalSigns.Replay? {
        guard let row, row.times > Self.limit, !row.hasPassed else { return nil }
        return VitalSigns.Replay(since: row.since, times: row.times, from: row.place.description)
    }
}
