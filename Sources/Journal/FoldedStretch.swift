internal import StreamModel

/// A stretch of the log whose events were folded together: what lies there instead, under the position of the first.
///
/// All of them were advances, or all were of shards that are over (`isHistory`). The events at both sides are as they were, so
/// their hashes hold the chain: the stretch keeps its value at both ends.
struct FoldedStretch: Hashable, Sendable {
    /// What is left of one shard's events in the stretch: consecutive revisions.
    struct Run: Hashable, Sendable {
        enum Rest: Hashable, Sendable {
            /// What they add up to: all of them were advances.
            case advance(SequenceAdvanced)
            /// Where they led, and the last advance among them.
            indirect case history(Checkpoint, lastAdvance: Position?)
        }

        let shard: UInt32
        /// Position of the shard's event before it.
        let previous: Position
        let first: Position
        let firstRevision: Revision
        /// Time of the first.
        let since: Timestamp
        fileprivate(set) var count: UInt64
        /// Position and time of the last.
        fileprivate(set) var last: Position
        fileprivate(set) var time: Timestamp
        fileprivate(set) var rest: Rest

        init(
            shard: UInt32, previous: Position, first: Position, firstRevision: Revision, since: Timestamp,
            count: UInt64, last: Position, time: Timestamp, rest: Rest
        ) {
            self.shard = shard
            self.previous = previous
            self.first = first
            self.firstRevision = firstRevision
            self.since = since
            self.count = count
            self.last = last
            self.time = time
            self.rest = rest
        }

        /// One event.
        init(_ envelope: WireFormat.Envelope, _ rest: Rest) {
            self.init(
                shard: envelope.shard, previous: envelope.previous, first: envelope.position,
                firstRevision: envelope.revision, since: envelope.time, count: 1, last: envelope.position,
                time: envelope.time, rest: rest)
        }

        var lastRevision: Revision { Revision(firstRevision.number &+ count &- 1) }
        var isHistory: Bool { if case .history = rest { true } else { false } }

        /// As the one event that it is shown as.
        var payload: Payload {
            switch rest {
            case .advance(let advance):
                .advancesFolded(
                    AdvancesFolded(
                        first: first, firstRevision: firstRevision, since: since, count: count, advance: advance))
            case .history(let checkpoint, let lastAdvance):
                .historyFolded(
                    HistoryFolded(
                        first: first, firstRevision: firstRevision, since: since, count: count,
                        lastAdvance: lastAdvance, checkpoint: checkpoint))
            }
        }

        /// What the shard's ordinal stands for, where its first event is among them.
        var naming: ShardKey? {
            guard case .history(let checkpoint, _) = rest, firstRevision == Revision(1) else { return nil }
            return checkpoint.shard
        }

        /// Whether it stands for the shard's event that was there.
        func holds(_ position: Position, of ordinal: UInt32) -> Bool {
            shard == ordinal && first <= position && position <= last
        }

        /// The revision of the one entry that the index keeps of it, if it has any.
        var indexed: Revision? {
            let first = Schema.indexed(from: firstRevision)
            return first <= lastRevision ? first : nil
        }

        /// How many of its events had an entry in the index.
        var indexedCount: UInt64 {
            guard let indexed else { return 0 }
            return (lastRevision.number - indexed.number) / Schema.indexInterval + 1
        }

        /// - Returns: `false` where `next` is not what comes right after it.
        fileprivate mutating func join(_ next: Run) -> Bool {
            guard next.previous == last, next.firstRevision == lastRevision.next else { return false }
            switch (rest, next.rest) {
            case (.advance(let mine), .advance(let others)): rest = .advance(mine.joined(by: others))
            case (.history(_, let mine), .history(let checkpoint, let others)):
                rest = .history(checkpoint, lastAdvance: others ?? mine)
            case (.advance, .history), (.history, .advance): return false
            }
            count += next.count
            (last, time) = (next.last, next.time)
            return true
        }

        /// Whether what it says of its events can be.
        fileprivate var isSound: Bool {
            guard shard > 0, count > 0, previous < first, first <= last, count <= last.number - first.number + 1,
                firstRevision > .none
            else { return false }
            guard case .history(let checkpoint, let lastAdvance) = rest else { return true }
            return checkpoint.position == last && checkpoint.revision == lastRevision && checkpoint.updated == time
                && lastAdvance.map { first <= $0 && $0 <= last } ?? true
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
    /// Whether all its events were of shards that are over; else all of them were advances.
    var isHistory: Bool { runs[0].isHistory }
    var time: Timestamp { runs.map(\.time).max() ?? Timestamp(microseconds: 0) }

    /// As it lies in the log; `nil` where it contradicts itself.
    init?(first: Position, last: Position, writer: RunID, before: ChainHash, after: ChainHash, runs: [Run]) {
        guard first > .origin, last >= first, !runs.isEmpty else { return nil }
        var count: UInt64 = 0
        for run in runs {
            guard run.isSound, run.first >= first, run.last <= last, run.isHistory == runs[0].isHistory else {
                return nil
            }
            count &+= run.count
        }
        guard count == last.number - first.number + 1 else { return nil }
        (self.first, self.last, self.writer, self.before, self.after) = (first, last, writer, before, after)
        self.runs = runs
    }

    /// Consecutive entries that go, one or more runs of them: what they were, and the chain's value after the last.
    init(_ runs: [Run], from first: Position, to last: Position, writer: RunID, before: ChainHash, after: ChainHash) {
        (self.first, self.last, self.writer, self.before, self.after) = (first, last, writer, before, after)
        self.runs = runs
    }

    /// How many shards a stretch may be about: it is written anew with each transaction that makes it longer.
    static let mostRuns = 2048
    /// A stretch of history takes so many shards, and beyond that only while many of those that it has go on behind it: each of
    /// them needs a run in the next stretch too.
    static let manyRuns = 64
    private static let ofWhichGoOn = 4

    /// Whether the entry right behind it may become part of it.
    ///
    /// - Parameter index: where each shard's run is.
    func takes(_ following: [Run], at position: Position, of writer: RunID, _ index: [UInt32: Int]) -> Bool {
        guard last.next == position, writer == self.writer, following[0].isHistory == isHistory else { return false }
        guard isHistory else { return runs.count < Self.mostRuns }
        let new = following.count { index[$0.shard] == nil }
        guard new > 0, runs.count + new > Self.manyRuns else { return true }
        let goingOn = runs.count { run in
            if case .history(let checkpoint, _) = run.rest { !checkpoint.status.letsChildrenStart } else { false }
        }
        return runs.count + new <= min(Self.mostRuns, max(Self.manyRuns, goingOn * Self.ofWhichGoOn))
    }

    /// - Parameter index: where each shard's run is, kept up to date.
    /// - Returns: `false` where a link or revision does not follow the shard's run: the log is damaged.
    mutating func append(_ following: [Run], to last: Position, after: ChainHash, _ index: inout [UInt32: Int]) -> Bool
    {
        for run in following {
            if let known = index[run.shard] {
                guard runs[known].join(run) else { return false }
            } else {
                index[run.shard] = runs.count
                runs.append(run)
            }
        }
        (self.last, self.after) = (last, after)
        return true
    }

    /// Where each shard's run is. A shard has one; of a value that says otherwise the first counts.
    var index: [UInt32: Int] {
        Dictionary(runs.enumerated().map { ($1.shard, $0) }) { first, _ in first }
    }

    /// One run as an event of its shard, with the link that the first of its events had.
    func envelope(of run: Run) -> WireFormat.Envelope {
        WireFormat.Envelope(
            position: run.last, time: run.time, run: writer, shard: run.shard, revision: run.lastRevision,
            previous: run.previous, table: nil)
    }
}
