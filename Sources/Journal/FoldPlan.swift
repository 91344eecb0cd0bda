internal import LMDB
internal import StreamModel

/// What a transaction of the compaction does to a stretch of the log: read and checked, and not yet written.
struct FoldPlan {
    /// One stretch that is made or made longer.
    struct Fold {
        fileprivate(set) var stretch: FoldedStretch
        /// The first event that goes now.
        let first: Position
        /// Its bytes in the log, once it is done.
        fileprivate(set) var value: [UInt8] = []
        /// Entries of the index that go with the events.
        fileprivate(set) var unindexed: [(shard: UInt32, revision: Revision)] = []
        /// Whether nothing of it lies in the log yet.
        let isNew: Bool
        /// What lies in the log so far, events or an earlier and shorter stretch.
        fileprivate var former: Int
        private var runs: [UInt32: Int]

        /// Of each entry in LMDB's pages, besides its value.
        private static let overhead = 16

        fileprivate init(lengthening stretch: FoldedStretch, of bytes: Int) {
            self.stretch = stretch
            first = stretch.last.next
            isNew = false
            former = bytes + Self.overhead
            runs = stretch.index
        }

        fileprivate init(_ event: FoldedStretch.Former, after before: ChainHash, of bytes: Int) {
            stretch = FoldedStretch(event, after: before)
            first = stretch.first
            isNew = true
            former = bytes + Self.overhead
            runs = stretch.index
            noteIndex(event.envelope)
        }

        /// - Returns: `false` where the event does not follow what its shard's run holds.
        fileprivate mutating func append(_ event: FoldedStretch.Former, of bytes: Int) -> Bool {
            guard stretch.append(event, &runs) else { return false }
            former += bytes + Self.overhead
            noteIndex(event.envelope)
            return true
        }

        private mutating func noteIndex(_ envelope: WireFormat.Envelope) {
            guard Schema.isIndexed(envelope.revision), let run = runs[envelope.shard],
                stretch.runs[run].indexed != envelope.revision
            else { return }
            unindexed.append((envelope.shard, envelope.revision))
        }

        /// Events that go.
        var events: UInt64 { stretch.last < first ? 0 : stretch.last.number - first.number + 1 }
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

    private(set) var folds: [Fold] = []
    /// Up to there it is decided what stays and what goes.
    private(set) var end: Position
    /// There is nothing old behind `end`.
    private(set) var isLast = false

    /// - Parameter limit: entries that are looked at.
    /// - Throws: `.damaged` where the log does not hold: nothing is folded that can't be proved.
    init(
        after place: Position, limit: Int, _ rule: inout FoldRule, _ store: Store,
        _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) {
        end = place
        // The newest event says where the log ends: it stays, whatever it is.
        let last = try store.lastPosition(transaction)
        guard place < last else {
            isLast = true
            return
        }
        var open = try Self.lengthened(upTo: place, store, transaction)
        var next = place.next
        var previous = try store.chain(before: next, transaction)
        var looked = 0
        isLast = true
        try transaction.forEach(in: store.schema.log, from: Schema.key(next)) { (key, value) throws(JournalError) in
            guard Schema.position(key) == next else { throw store.damaged(next, "the event is missing") }
            guard next < last else { return false }
            guard looked < limit else {
                isLast = false
                return false
            }
            let entry = try store.open(value, at: next, after: previous)
            defer { (previous, next) = (ChainHash(value), entry.last.next) }
            guard case .event(let envelope, let payload, _) = entry else {
                Self.close(&open, &folds)
                end = entry.last
                looked += 1
                return true
            }
            var advance: SequenceAdvanced?
            if envelope.shard > 0, case .sequenceAdvanced(let found) = payload { advance = found }
            switch rule.verdict(time: envelope.time, advances: advance == nil ? nil : envelope.shard) {
            case .ends: return false
            case .isOfNoTime:
                Self.close(&open, &folds)
                return true
            case .stays: Self.close(&open, &folds)
            case .folds:
                guard let advance else { preconditionFailure("only an advance folds") }
                let former = FoldedStretch.Former(envelope: envelope, advance: advance, hash: ChainHash(value))
                if open?.stretch.takes(envelope) == true {
                    guard open?.append(former, of: value.count) == true else {
                        throw store.damaged(next, "its link or revision does not follow its shard's event before it")
                    }
                } else {
                    Self.close(&open, &folds)
                    open = Fold(former, after: previous, of: value.count)
                }
            }
            end = entry.last
            looked += 1
            return true
        }
        if !isLast, let unfinished = open, unfinished.isNew, unfinished.first > place.next,
            unfinished.events < limit / 2
        {
            // It may go on behind what was looked at; alone it may not be worth it. The next transaction begins with it.
            end = Position(unfinished.first.number - 1)
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
        upTo place: Position, _ store: Store, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> Fold? {
        guard place > .origin, let (key, value) = try store.entry(holding: place, transaction),
            case .folded(let stretch) = try store.open(
                value.span, at: key, after: store.chain(before: key, transaction)),
            stretch.last == place
        else { return nil }
        return Fold(lengthening: stretch, of: value.count)
    }
}
