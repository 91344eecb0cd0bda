internal import LMDB
internal import StreamModel

/// What a transaction of the compaction does to a part of the log: read and checked, and not yet written.
struct FoldPlan {
    /// One stretch that is made or made longer.
    struct Fold {
        fileprivate(set) var stretch: FoldedStretch
        /// Keys of the log that go, besides that of the stretch.
        fileprivate(set) var gone: [Position] = []
        /// Events that go.
        fileprivate(set) var events: UInt64 = 0
        /// Stretches of advances that become part of it.
        fileprivate(set) var absorbed: UInt64 = 0
        /// The stretch's bytes in the log, once it is done.
        fileprivate(set) var value: [UInt8] = []
        /// Entries of the index that go with the events.
        fileprivate(set) var unindexed: [(shard: UInt32, revision: Revision)] = []
        /// Whether nothing of it lies in the log yet.
        let isNew: Bool
        /// What lies in the log so far, events or earlier stretches.
        fileprivate var former: Int
        private var runs: [UInt32: Int]

        /// Of each entry in LMDB's pages, besides its value.
        private static let overhead = 16

        fileprivate init(lengthening stretch: FoldedStretch, of bytes: Int) {
            self.stretch = stretch
            isNew = false
            former = bytes + Self.overhead
            runs = stretch.index
        }

        fileprivate init(
            _ entry: LogEntry, _ following: [FoldedStretch.Run], after before: ChainHash, _ value: Span<UInt8>
        ) {
            stretch = FoldedStretch(
                following, from: entry.first, to: entry.last, writer: entry.writer, before: before,
                after: ChainHash(value))
            isNew = true
            former = value.count + Self.overhead
            runs = stretch.index
            note(entry, following)
        }

        fileprivate func takes(_ entry: LogEntry, _ following: [FoldedStretch.Run]) -> Bool {
            stretch.takes(following, at: entry.first, of: entry.writer, runs)
        }

        /// - Returns: `false` where the entry does not follow what its shards' runs hold.
        fileprivate mutating func append(
            _ entry: LogEntry, _ following: [FoldedStretch.Run], _ value: Span<UInt8>
        ) -> Bool {
            guard stretch.append(following, to: entry.last, after: ChainHash(value), &runs) else { return false }
            former += value.count + Self.overhead
            gone.append(entry.first)
            note(entry, following)
            return true
        }

        private mutating func note(_ entry: LogEntry, _ following: [FoldedStretch.Run]) {
            if case .event = entry { events += 1 } else { absorbed += 1 }
            for run in following {
                guard let indexed = run.indexed, let place = runs[run.shard], stretch.runs[place].indexed != indexed
                else { continue }
                unindexed.append((run.shard, indexed))
            }
        }

        /// How many bytes less lie in the log.
        var saved: Int { former - value.count - Self.overhead }

        /// - Returns: whether it is worth it: what is left of a few events may be longer than they are.
        fileprivate mutating func close() -> Bool {
            guard events > 0 else { return false }
            var writer = WireWriter()
            WireFormat.encode(stretch, onto: &writer)
            value = writer.written
            return !isNew || saved > 0
        }
    }

    /// What becomes of an entry.
    enum Verdict {
        /// It goes, and this is what is left of it.
        case folds([FoldedStretch.Run])
        case stays
        /// Stays for now, and says nothing of the age of what comes before.
        case isOfNoTime
        /// It is recent, and so is all that follows.
        case ends
    }

    private(set) var folds: [Fold] = []
    /// Up to there it is decided what stays and what goes.
    private(set) var end: Position
    /// There is nothing old behind `end`.
    private(set) var isLast = true

    /// - Parameters:
    ///   - bound: nothing behind it is looked at.
    ///   - limit: entries that are looked at.
    /// - Throws: `.damaged` where the log does not hold: nothing is folded that can't be proved.
    private init(
        after place: Position, upTo bound: Position, limit: Int, _ store: Store,
        _ transaction: borrowing some Snapshot & ~Copyable, lengthening stretch: Fold?,
        _ verdict: (LogEntry) throws(JournalError) -> Verdict
    ) throws(JournalError) {
        end = place
        guard place < bound else { return }
        var open = stretch
        var next = place.next
        // A stretch of many shards takes longer to decode than the events behind it: not a second time.
        var previous =
            if let stretch { stretch.stretch.after } else { try store.chain(before: next, transaction) }
        var looked = 0
        try transaction.forEach(in: store.schema.log, from: Schema.key(next)) { (key, value) throws(JournalError) in
            guard Schema.position(key) == next else { throw store.damaged(next, "the event is missing") }
            guard next <= bound else { return false }
            guard looked < limit else {
                isLast = false
                return false
            }
            let entry = try store.open(value, at: next, after: previous)
            defer { (previous, next) = (ChainHash(value), entry.last.next) }
            switch try verdict(entry) {
            case .ends: return false
            case .isOfNoTime:
                Self.close(&open, &folds)
                return true
            case .stays: Self.close(&open, &folds)
            case .folds(let runs):
                if open?.takes(entry, runs) == true {
                    guard open?.append(entry, runs, value) == true else {
                        throw store.damaged(next, "its link or revision does not follow its shard's event before it")
                    }
                } else {
                    Self.close(&open, &folds)
                    open = Fold(entry, runs, after: previous, value)
                }
            }
            end = entry.last
            looked += 1
            return true
        }
        if !isLast, let unfinished = open, unfinished.isNew, unfinished.stretch.first > place.next,
            unfinished.events < limit / 2
        {
            // It may go on behind what was looked at; alone it may not be worth it. The next transaction begins with it.
            end = Position(unfinished.stretch.first.number - 1)
        } else if isLast, var unfinished = open, unfinished.isNew, unfinished.stretch.isHistory, !unfinished.close() {
            // It will go on once more is old, and may be worth it then.
            end = Position(unfinished.stretch.first.number - 1)
        } else {
            Self.close(&open, &folds)
        }
        isLast = isLast || end == place
    }

    private static func close(_ open: inout Fold?, _ folds: inout [Fold]) {
        if var fold = open.take(), fold.close() { folds.append(fold) }
    }

    /// The stretch that ends at `place`, which what comes next may become part of.
    private static func lengthened(
        upTo place: Position, isHistory: Bool, _ store: Store, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> Fold? {
        guard place > .origin, let (key, value) = try store.entry(holding: place, transaction),
            case .folded(let stretch) = try store.open(
                value.span, at: key, after: store.chain(before: key, transaction)),
            stretch.last == place, stretch.isHistory == isHistory
        else { return nil }
        return Fold(lengthening: stretch, of: value.count)
    }
}

extension FoldPlan {
    /// Old advances behind `place`.
    init(
        after place: Position, limit: Int, _ rule: inout FoldRule, _ store: Store,
        _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) {
        // The newest event says where the log ends: it stays, whatever it is.
        let last = try store.lastPosition(transaction)
        let bound = Position(last.number - min(last.number, 1))
        let stretch = try place < bound ? Self.lengthened(upTo: place, isHistory: false, store, transaction) : nil
        try self.init(
            after: place, upTo: bound, limit: limit, store, transaction, lengthening: stretch
        ) { (entry) throws(JournalError) in
            guard case .event(let envelope, let payload, _) = entry else { return .stays }
            var advance: SequenceAdvanced?
            if envelope.shard > 0, case .sequenceAdvanced(let found) = payload { advance = found }
            switch (rule.verdict(time: envelope.time, advances: advance == nil ? nil : envelope.shard), advance) {
            case (.folds, let advance?): return .folds([FoldedStretch.Run(envelope, .advance(advance))])
            case (.folds, nil), (.stays, _): return .stays
            case (.isOfNoTime, _): return .isOfNoTime
            case (.ends, _): return .ends
            }
        }
    }

    /// Older events of shards that are over, behind `place` and where advances have been folded.
    init(
        historyAfter place: Position, upTo bound: Position, limit: Int, now: Timestamp, _ policy: FoldPolicy,
        _ store: Store, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) {
        let stretch = try place < bound ? Self.lengthened(upTo: place, isHistory: true, store, transaction) : nil
        var rule = HistoryRule(now: now, policy, going: stretch?.stretch.runs ?? [])
        try self.init(
            after: place, upTo: bound, limit: limit, store, transaction, lengthening: stretch
        ) { (entry) throws(JournalError) in try rule.verdict(entry, store, transaction) }
    }
}
