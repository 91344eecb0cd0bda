package import StreamModel

/// What is left of consecutive events of a shard that is over, once they are old: where they led, and no longer how.
///
/// Nobody appends it; it is read where they were. Its event has the position, time and revision of the last of them.
package struct HistoryFolded: Hashable, Sendable {
    /// Of the first of them.
    package var first: Position
    package var firstRevision: Revision
    package var since: Timestamp
    package var count: UInt64
    /// Position of the last advance among them; `nil` where none was.
    package var lastAdvance: Position?
    /// The fold up to the last of them.
    package var checkpoint: Checkpoint

    package init(
        first: Position, firstRevision: Revision, since: Timestamp, count: UInt64, lastAdvance: Position?,
        checkpoint: Checkpoint
    ) {
        self.first = first
        self.firstRevision = firstRevision
        self.since = since
        self.count = count
        self.lastAdvance = lastAdvance
        self.checkpoint = checkpoint
    }

    /// How far the shard had come after them, with all that it brought until then; `nil` where none of them was an advance.
    package var advance: SequenceAdvanced? {
        guard lastAdvance != nil, let number = checkpoint.sequenceNumber else { return nil }
        return SequenceAdvanced(
            sequenceNumber: number, records: checkpoint.records, bytes: checkpoint.bytes,
            approximateTime: checkpoint.approximateTime, targetToken: checkpoint.targetToken)
    }

    /// These and those that come right after them.
    func joined(by next: HistoryFolded) -> HistoryFolded {
        HistoryFolded(
            first: first, firstRevision: firstRevision, since: since, count: count &+ next.count,
            lastAdvance: next.lastAdvance ?? lastAdvance, checkpoint: next.checkpoint)
    }
}

extension Payload {
    /// Of what stands for many events, the first of their revisions.
    var firstRevision: Revision? {
        switch self {
        case .advancesFolded(let folded): folded.firstRevision
        case .historyFolded(let folded): folded.firstRevision
        default: nil
        }
    }

    /// Of what stands for many events, the first of their positions.
    package var firstPosition: Position? {
        switch self {
        case .advancesFolded(let folded): folded.first
        case .historyFolded(let folded): folded.first
        default: nil
        }
    }

    /// Of what stands for many events, the time of the first.
    package var since: Timestamp? {
        switch self {
        case .advancesFolded(let folded): folded.since
        case .historyFolded(let folded): folded.since
        default: nil
        }
    }

    /// Whether it is history that nobody has to know word by word once its shard is over and it is old: what brought the shard
    /// along, and no deed of an operator, no loss and no refused record.
    var isOrdinary: Bool {
        switch self {
        case .shardDiscovered, .queried, .iteratorResolved, .statusChanged, .sequenceAdvanced, .advancesFolded,
            .faulted, .inStep, .historyFolded:
            true
        case .runStarted, .runStopped, .phaseChanged, .scanAdvanced, .rowsSwept, .scanFinished, .rewound, .rangeLost,
            .lossAcknowledged, .recordRefused, .refusalSettled, .paused, .resumed, .tableRemoved, .repaired, .imported,
            .unknown:
            false
        }
    }
}

extension Event {
    /// The first of its shard's revisions that it stands for.
    var firstRevision: Revision? { payload.firstRevision ?? revision }

    /// This and the event right after it as one, where both are folded alike: that they lie in two parts of the log is no
    /// matter of the shard's.
    func joined(by next: Event) -> Event? {
        guard subject == next.subject, revision?.next == next.payload.firstRevision else { return nil }
        let joined: Payload
        switch (payload, next.payload) {
        case (.advancesFolded(let mine), .advancesFolded(let others)): joined = .advancesFolded(mine.joined(by: others))
        case (.historyFolded(let mine), .historyFolded(let others)): joined = .historyFolded(mine.joined(by: others))
        default: return nil
        }
        return Event(
            position: next.position, time: next.time, run: next.run, subject: subject, revision: next.revision,
            payload: joined)
    }
}
