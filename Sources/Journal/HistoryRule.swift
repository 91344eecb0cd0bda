internal import LMDB
internal import StreamModel

/// Which events of the log may go because nobody has to know them word by word any more: ordinary ones, older than a week
/// (if nothing else is said), of shards that are over (docs/JOURNAL-FORMAT.md 3.5).
///
/// Looked at in the order of the log; it folds along, so that what is left of each shard's events can say where they led.
struct HistoryRule {
    private struct Known {
        let name: ShardKey
        let isOver: Bool
        /// The fold up to what was looked at last; `nil` where that is not known.
        var checkpoint: Checkpoint?
    }

    private let now: Timestamp
    /// Whole hours only, so that a stretch is made longer once an hour at most.
    private let horizon: Timestamp
    private var shards: [UInt32: Known] = [:]

    /// - Parameter going: the runs that may be gone on with.
    init(now: Timestamp, _ policy: FoldPolicy, going runs: [FoldedStretch.Run]) {
        self.now = now
        horizon = FoldRule.wholeHour(now + (.zero - policy.historyAge))
        for run in runs {
            guard case .history(let checkpoint, _) = run.rest else { continue }
            shards[run.shard] = Known(name: checkpoint.shard, isOver: true, checkpoint: checkpoint)
        }
    }

    /// - Throws: `.damaged` where the entry can't follow.
    mutating func verdict(
        _ entry: LogEntry, _ store: Store, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> FoldPlan.Verdict {
        guard entry.time <= now else { return .isOfNoTime }
        guard entry.time < horizon else { return .ends }
        switch entry {
        case .event(let envelope, let payload, _):
            guard envelope.shard > 0,
                let checkpoint = try step(envelope, payload, store, transaction)
            else { return .stays }
            guard payload.isOrdinary else { return .stays }
            var lastAdvance: Position?
            if case .sequenceAdvanced = payload { lastAdvance = envelope.position }
            return .folds([FoldedStretch.Run(envelope, .history(checkpoint, lastAdvance: lastAdvance))])
        case .folded(let stretch):
            guard !stretch.isHistory else { return .stays }
            for run in stretch.runs where try !known(run.shard, store, transaction).isOver { return .stays }
            var runs: [FoldedStretch.Run] = []
            for run in stretch.runs {
                guard let checkpoint = try step(stretch.envelope(of: run), run.payload, store, transaction) else {
                    return .stays
                }
                runs.append(
                    FoldedStretch.Run(
                        shard: run.shard, previous: run.previous, first: run.first, firstRevision: run.firstRevision,
                        since: run.since, count: run.count, last: run.last, time: run.time,
                        rest: .history(checkpoint, lastAdvance: run.last)))
            }
            return .folds(runs)
        }
    }

    private mutating func known(
        _ ordinal: UInt32, _ store: Store, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> Known {
        if let known = shards[ordinal] { return known }
        let name = try store.name(of: ordinal, transaction)
        let kept = try store.checkpoint(of: name, ordinal: ordinal, transaction)
        let known = Known(name: name, isOver: kept.status.letsChildrenStart)
        shards[ordinal] = known
        return known
    }

    /// The fold up to an event, or to the last of what is left of some; `nil` where the shard is not over.
    private mutating func step(
        _ envelope: WireFormat.Envelope, _ payload: Payload, _ store: Store,
        _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> Checkpoint? {
        let (ordinal, first) = (envelope.shard, payload.firstRevision ?? envelope.revision)
        let known = try known(ordinal, store, transaction)
        guard known.isOver else { return nil }
        let before: Checkpoint?
        if first == Revision(1) {
            before = nil
        } else if let checkpoint = known.checkpoint, checkpoint.position == envelope.previous {
            before = checkpoint
        } else {
            before = try Links(store: store, ordinal: ordinal, shard: known.name)
                .fold(upTo: envelope.previous, transaction)
        }
        do throws(Refusal) {
            var checkpoint: Checkpoint
            if let before {
                checkpoint = before
                try checkpoint.apply(payload, position: envelope.position, time: envelope.time)
            } else {
                checkpoint = try .beginning(
                    known.name, with: payload, position: envelope.position, time: envelope.time)
            }
            shards[ordinal]?.checkpoint = checkpoint
            return checkpoint
        } catch {
            throw store.damaged(envelope.position, "the event can't follow: \(error)")
        }
    }
}
