internal import StreamModel

/// A stretch of the log whose events, all of them advances, were folded together: what lies there instead, under the position
/// of the first.
///
/// The events at both sides are as they were, so their hashes hold the chain: the stretch keeps its value at both ends.
struct FoldedStretch: Hashable, Sendable {
    /// What is left of one shard's advances in the stretch: consecutive revisions.
    struct Run: Hashable, Sendable {
        let shard: UInt32
        /// Position of the shard's event before it.
        let previous: Position
        /// Position and time of the last.
        var last: Position
        var time: Timestamp
        var folded: AdvancesFolded

        /// Whether it stands for the shard's event that was there.
        func holds(_ position: Position, of ordinal: UInt32) -> Bool {
            shard == ordinal && folded.first <= position && position <= last
        }

        /// The revision of the one entry that the index keeps of it, if it has any.
        var indexed: Revision? {
            let first = Schema.indexed(from: folded.firstRevision)
            return first <= folded.lastRevision ? first : nil
        }

        /// How many of its events had an entry in the index.
        var indexedCount: UInt64 {
            guard let indexed else { return 0 }
            return (folded.lastRevision.number - indexed.number) / Schema.indexInterval + 1
        }
    }

    private(set) var first: Position
    private(set) var last: Position
    /// Whose events they were: one process wrote all of a stretch.
    let writer: RunID
    /// The chain's value before the first and after the last.
    let before: ChainHash
    private(set) var after: ChainHash
    /// In the order of their first events.
    private(set) var runs: [Run]

    var count: UInt64 { last.number - first.number + 1 }

    /// As it lies in the log; `nil` where it contradicts itself.
    init?(first: Position, last: Position, writer: RunID, before: ChainHash, after: ChainHash, runs: [Run]) {
        guard first > .origin, last >= first, !runs.isEmpty else { return nil }
        var count: UInt64 = 0
        for run in runs {
            let folded = run.folded
            guard run.shard > 0, folded.count > 0, folded.first >= first, run.last <= last, run.previous < folded.first,
                folded.count <= run.last.number - min(folded.first.number, run.last.number) + 1
            else { return nil }
            count += folded.count
        }
        guard count == last.number - first.number + 1 else { return nil }
        (self.first, self.last, self.writer, self.before, self.after) = (first, last, writer, before, after)
        self.runs = runs
    }

    /// An event that was there: what it said, and the chain's value after it.
    struct Former {
        let envelope: WireFormat.Envelope
        let advance: SequenceAdvanced
        let hash: ChainHash
    }

    /// One event that goes.
    init(_ former: Former, after before: ChainHash) {
        let envelope = former.envelope
        (first, last, writer) = (envelope.position, envelope.position, envelope.run)
        (self.before, after) = (before, former.hash)
        runs = [Self.run(former)]
    }

    /// How many shards a stretch may be about: it is written anew with each transaction that makes it longer.
    static let mostRuns = 2048

    /// Whether the event right behind it may become part of it.
    func takes(_ envelope: WireFormat.Envelope) -> Bool {
        last.next == envelope.position && writer == envelope.run && runs.count < Self.mostRuns
    }

    /// - Parameter index: where each shard's run is, kept up to date.
    /// - Returns: `false` where the event's link or revision does not follow the shard's run: the log is damaged.
    mutating func append(_ former: Former, _ index: inout [UInt32: Int]) -> Bool {
        let envelope = former.envelope
        if let known = index[envelope.shard] {
            guard envelope.previous == runs[known].last, envelope.revision == runs[known].folded.lastRevision.next
            else {
                return false
            }
            runs[known].last = envelope.position
            runs[known].time = envelope.time
            runs[known].folded.count += 1
            runs[known].folded.advance = runs[known].folded.advance.joined(by: former.advance)
        } else {
            index[envelope.shard] = runs.count
            runs.append(Self.run(former))
        }
        (last, after) = (envelope.position, former.hash)
        return true
    }

    /// Where each shard's run is.
    var index: [UInt32: Int] {
        Dictionary(uniqueKeysWithValues: runs.enumerated().map { ($1.shard, $0) })
    }

    private static func run(_ former: Former) -> Run {
        let envelope = former.envelope
        return Run(
            shard: envelope.shard, previous: envelope.previous, last: envelope.position, time: envelope.time,
            folded: AdvancesFolded(
                first: envelope.position, firstRevision: envelope.revision, since: envelope.time, count: 1,
                advance: former.advance))
    }

    /// One run as an event of its shard, with the link that the first of its advances had.
    func envelope(of run: Run) -> WireFormat.Envelope {
        WireFormat.Envelope(
            position: run.last, time: run.time, run: writer, shard: run.shard, revision: run.folded.lastRevision,
            previous: run.previous, table: nil)
    }
}
