package import StreamModel

/// Old advances of one shard that were folded together: what is left of consecutive `sequence_advanced`.
///
/// Nobody appends it; it is read where they were. Its event has the position, time and revision of the last of them.
package struct AdvancesFolded: Hashable, Sendable {
    /// Of the first of them.
    package var first: Position
    package var firstRevision: Revision
    package var since: Timestamp
    package var count: UInt64
    /// All of them as one: the last number, time and token, the sums of records and bytes.
    package var advance: SequenceAdvanced

    package init(
        first: Position, firstRevision: Revision, since: Timestamp, count: UInt64, advance: SequenceAdvanced
    ) {
        self.first = first
        self.firstRevision = firstRevision
        self.since = since
        self.count = count
        self.advance = advance
    }

    package var lastRevision: Revision { Revision(firstRevision.number &+ count &- 1) }

    /// These and those that come right after them.
    func joined(by next: AdvancesFolded) -> AdvancesFolded {
        AdvancesFolded(
            first: first, firstRevision: firstRevision, since: since, count: count &+ next.count,
            advance: advance.joined(by: next.advance))
    }
}

extension SequenceAdvanced {
    /// This and the one that comes right after it, as one.
    func joined(by next: SequenceAdvanced) -> SequenceAdvanced {
        SequenceAdvanced(
            sequenceNumber: next.sequenceNumber, records: records &+ next.records, bytes: bytes &+ next.bytes,
            approximateTime: next.approximateTime ?? approximateTime, targetToken: next.targetToken ?? targetToken,
            first: first)
    }
}

extension Payload {
    /// How far a shard came, by one batch or by many that were folded.
    package var advance: SequenceAdvanced? {
        switch self {
        case .sequenceAdvanced(let advance): advance
        case .advancesFolded(let folded): folded.advance
        case .historyFolded(let folded): folded.advance
        default: nil
        }
    }
}
