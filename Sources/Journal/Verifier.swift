internal import Dispatch
internal import LMDB
internal import StreamModel
internal import Synchronization

/// Proves that the log is whole and that what is kept beside it is its fold.
///
/// Reads in short snapshots, so that a daemon beside it can use its pages again, and in place. One core checks the chain of
/// a stretch of the log while the other folds it.
struct Verifier {
    private let store: Store
    private let stretch: UInt64

    /// - Parameter stretch: positions that are read in one snapshot.
    init(_ store: Store, stretch: UInt64 = 65_536) {
        self.store = store
        self.stretch = stretch
    }

    /// - Throws: `.damaged` with the first position that does not hold.
    func verify(progress: (Position) -> Void) throws(JournalError) -> VerifyReport {
        while true {
            // Where a compaction beside this has just folded the place that was reached, all begins anew. It only goes on, and
            // never comes to the newest events, so that ends.
            if let report = try verifyOnce(progress) { return report }
        }
    }

    /// - Returns: `nil` where the place that was reached was folded away before it could be gone on from.
    private func verifyOnce(_ progress: (Position) -> Void) throws(JournalError) -> VerifyReport? {
        let fold = Mutex(LogFold())
        var (position, chain) = (Position.origin, ChainHash.zero)
        while true {
            let end = try store.read { (snapshot) throws(JournalError) in try stretchEnd(after: position, snapshot) }
            if position < end {
                guard let next = try check(from: position, to: end, after: chain, fold) else { return nil }
                (position, chain) = (end, next)
                progress(position)
                continue
            }
            // The end, as far as this snapshot goes: what is kept beside the log must say the same as its fold.
            let report: VerifyReport? = try store.read { (snapshot) throws(JournalError) in
                guard try store.lastPosition(snapshot) == position else { return nil }  // a daemon went on meanwhile
                let folded = fold.withLock { $0 }
                let compacted = try store.compacted(snapshot)
                try compare(folded, compacted, snapshot)
                return VerifyReport(
                    events: position.number - compacted.events, folded: compacted.events,
                    shards: folded.shards.count, lastPosition: position)
            }
            guard let report else { continue }
            try store.checkPages(readsAll: true)
            return report
        }
    }

    /// Where the stretch that follows `position` ends: where an entry does.
    private func stretchEnd(after position: Position, _ snapshot: borrowing ReadTransaction) throws(JournalError)
        -> Position
    {
        let last = try store.lastPosition(snapshot)
        let (end, overflows) = position.number.addingReportingOverflow(stretch)
        guard !overflows, end < last.number else { return last }
        guard let (key, value) = try store.entry(holding: Position(end), snapshot), key > position,
            case .folded(let stretch)? = WireFormat.decodeEntry(value.span)
        else { return Position(end) }
        return stretch.last >= Position(end) ? stretch.last : Position(end)
    }

    /// Checks the chain of the newest events, and that the log and the states agree where it ends.
    ///
    /// - Parameter withKept: also that what is kept beside the log stands where these events lead to. A page of states that came
    ///   back from an older time is right by every seal, and an append upon it would fork the shard.
    static func checkTail(
        _ store: Store, _ state: LogState, _ places: [Store.Place], _ snapshot: borrowing ReadTransaction,
        count: UInt64, withKept: Bool
    ) throws(JournalError) {
        try checkCount(store, state.last, snapshot)
        if let index = places.firstIndex(where: { $0.position > state.last }) {
            let shard = try store.name(of: UInt32(index + 1), snapshot)
            throw store.damaged(
                state.last, "shard \(shard) stands at position \(places[index].position), which the log doesn't hold")
        }
        guard state.last > .origin else { return }
        var next = Position(state.last.number > count ? state.last.number - count + 1 : 1)
        if let (key, _) = try store.entry(holding: next, snapshot), try store.isFolded(next, snapshot) { next = key }
        var previous = try store.chain(before: next, snapshot)
        var tail = Tail(after: Position(next.number - 1))
        try snapshot.forEach(in: store.schema.log, from: Schema.key(next)) { (key, value) throws(JournalError) in
            guard Schema.position(key) == next else { throw store.damaged(next, "the event is missing") }
            let entry = try store.open(value, at: next, after: previous)
            if withKept { tail.take(entry) }
            next = entry.last.next
            previous = ChainHash(value)
            return true
        }
        guard next == state.last.next else { throw store.damaged(next, "the event is missing") }
        if withKept { try tail.check(store, state, places, snapshot) }
    }

    /// The log has an entry for each position, save those that were folded.
    private static func checkCount(
        _ store: Store, _ last: Position, _ snapshot: borrowing ReadTransaction
    ) throws(JournalError) {
        let entries = UInt64(try store.count(of: store.schema.log, snapshot))
        guard try store.compacted(snapshot).entries(upTo: last) == entries else {
            throw store.damaged(nil, "the log holds \(entries) events and ends at position \(last)")
        }
    }

    // MARK: - Steps

    /// - Returns: the chain's value at `end`; `nil` where `start` or `end` was folded away meanwhile.
    private func check(
        from start: Position, to end: Position, after chain: ChainHash, _ fold: borrowing Mutex<LogFold>
    ) throws(JournalError) -> ChainHash? {
        let chained = Mutex(Result<ChainHash?, JournalError>.success(nil))
        let folded = Mutex(Result<Bool, JournalError>.success(false))
        DispatchQueue.concurrentPerform(iterations: 2) { lane in
            if lane == 0 {
                let result = Result { () throws(JournalError) in try checkChain(from: start, to: end, after: chain) }
                chained.withLock { $0 = result }
            } else {
                let result: Result<Bool, JournalError> = fold.withLock { fold in
                    do throws(JournalError) {
                        return .success(try checkFold(from: start, to: end, &fold))
                    } catch {
                        return .failure(error)
                    }
                }
                folded.withLock { $0 = result }
            }
        }
        let (chainResult, foldResult) = (chained.withLock { $0 }, folded.withLock { $0 })
        guard case .failure(let foldError) = foldResult else {
            let chain = try chainResult.get()
            return try foldResult.get() ? chain : nil
        }
        // A wrong event fails in both; the chain knows better why, but what comes first in the log comes first.
        if case .failure(let chainError) = chainResult, !foldError.comes(before: chainError) { throw chainError }
        throw foldError
    }

    private func checkChain(
        from start: Position, to end: Position, after chain: ChainHash
    ) throws(JournalError) -> ChainHash? {
        var previous = chain
        let isWhole = try forEachEntry(from: start, to: end) { (value, key) throws(JournalError) in
            let last = try store.check(value, at: key, after: previous)
            previous = ChainHash(value)
            return last
        }
        return isWhole ? previous : nil
    }

    private func checkFold(from start: Position, to end: Position, _ fold: inout LogFold) throws(JournalError) -> Bool {
        try forEachEntry(from: start, to: end) { (value, key) throws(JournalError) in
            let entry = try store.decode(value, at: key)
            do throws(LogFold.Misfit) { try fold.take(entry) } catch {
                throw store.damaged(error.position, error.problem)
            }
            return entry.last
        }
    }

    /// Every entry behind `start`, up to `end`, where the log is known to have had one's end.
    ///
    /// - Parameter body: says which position its entry ends at.
    /// - Returns: `false` where `start` or `end` is no entry's end any more.
    private func forEachEntry(
        from start: Position, to end: Position, _ body: (Span<UInt8>, Position) throws(JournalError) -> Position
    ) throws(JournalError) -> Bool {
        try store.read { (snapshot) throws(JournalError) in
            if try !holds(start.next, snapshot) {
                guard try !store.isFolded(start.next, snapshot) else { return false }
            }
            var position = start
            try snapshot.forEach(in: store.schema.log, from: Schema.key(start.next)) {
                (key, value) throws(JournalError) in
                guard Schema.position(key) == position.next else {
                    throw store.damaged(position.next, "the event is missing")
                }
                position = try body(value, position.next)
                return position < end
            }
            guard position >= end else { throw store.damaged(position.next, "the event is missing") }
            return position == end
        }
    }

    private func holds(_ key: Position, _ snapshot: borrowing ReadTransaction) throws(JournalError) -> Bool {
        try store.value(for: Schema.key(key), in: store.schema.log, snapshot) != nil
    }

    /// What is kept beside the log must be its fold, and the index must lead to the events that it names.
    private func compare(
        _ folding: LogFold, _ compacted: Compacted, _ snapshot: borrowing ReadTransaction
    ) throws(JournalError) {
        let fold = folding
        try Self.checkCount(store, try store.lastPosition(snapshot), snapshot)
        // More may have been folded since the log was read, but not less.
        guard folding.folded <= compacted.events,
            folding.folded != compacted.events || folding.unindexed == compacted.unindexed
        else {
            throw store.damaged(
                nil, "\(folding.folded) events were folded, and not \(compacted.events) as is kept beside the log")
        }
        let kept = try store.checkpoints(snapshot)
        guard kept.count == fold.shards.count else {
            throw store.damaged(nil, "the log knows \(fold.shards.count) shards, and \(kept.count) are kept beside it")
        }
        for (kept, folded) in zip(kept, fold.shards) where kept != folded {
            throw store.damaged(
                folded.position, "what is kept of shard \(folded.shard) is not the fold of its events")
        }
        let tables = try store.tables(snapshot)
        for (name, folded) in fold.tables where tables[name] != folded {
            throw store.damaged(folded.position, "what is kept of table \(name) is not the fold of its events")
        }
        guard tables.count == fold.tables.count else {
            throw store.damaged(nil, "a table is kept that the log doesn't know")
        }
        guard try store.lastDaemonRunPosition(snapshot) == folding.lastDaemon else {
            throw store.damaged(folding.lastDaemon, "what is kept of the last start of a daemon leads to another event")
        }
        let entries = try IndexCheck.entries(store, snapshot)
        try Self.checkCount(ofIndexed: entries, fold.shards.map(\.revision), compacted, store)
    }
}

extension Verifier {
    /// The index has as many entries as the shards' revisions ask for, less those that went with folded events.
    fileprivate static func checkCount(
        ofIndexed entries: UInt64, _ revisions: some Sequence<Revision>, _ compacted: Compacted, _ store: Store
    ) throws(JournalError) {
        let all = revisions.reduce(UInt64(0)) { $0 + ($1.number + Schema.indexInterval - 1) / Schema.indexInterval }
        let expected = all - min(all, compacted.unindexed)
        guard entries == expected else {
            throw store.damaged(nil, "the history index has \(entries) entries, not \(expected)")
        }
    }

    /// Where the newest events lead to.
    private struct Tail {
        /// Before the first of these events.
        let start: Position
        var shards: [UInt32: (position: Position, revision: Revision)] = [:]
        var tables: [TableName: Position] = [:]
        var lastDaemon: Position?
        var indexed: [(shard: UInt32, revision: Revision, position: Position)] = []

        init(after start: Position) { self.start = start }

        mutating func take(_ entry: LogEntry) {
            switch entry {
            case .event(let envelope, let payload, _): take(envelope, payload)
            case .folded(let stretch):
                for run in stretch.runs {
                    let last = stretch.envelope(of: run)
                    shards[last.shard] = (last.position, last.revision)
                }
            }
        }

        private mutating func take(_ envelope: WireFormat.Envelope, _ payload: Payload) {
            if envelope.shard > 0 {
                shards[envelope.shard] = (envelope.position, envelope.revision)
                if Schema.isIndexed(envelope.revision) {
                    indexed.append((envelope.shard, envelope.revision, envelope.position))
                }
            } else if let table = envelope.table {
                tables[table] = envelope.position
            }
            if payload.startsDaemon { lastDaemon = envelope.position }
        }

        func check(
            _ store: Store, _ state: LogState, _ places: [Store.Place], _ snapshot: borrowing ReadTransaction
        ) throws(JournalError) {
            if let stranger = shards.keys.max(), Int(stranger) > places.count {
                throw store.damaged(
                    shards[stranger]?.position,
                    "the log knows \(stranger) shards, and \(places.count) are kept beside it")
            }
            for (index, place) in places.enumerated() {
                let found = shards[UInt32(index + 1)]
                // A shard without an event here stands before all of them.
                guard found.map({ $0 == (place.position, place.revision) }) ?? (place.position <= start) else {
                    let shard = try store.name(of: UInt32(index + 1), snapshot)
                    throw store.damaged(
                        found?.position ?? place.position,
                        "what is kept of shard \(shard) is not the fold of its events")
                }
            }
            for (name, position) in tables where state.tables[name]?.position != position {
                throw store.damaged(position, "what is kept of table \(name) is not the fold of its events")
            }
            for table in state.tables.values where tables[table.table] == nil && table.position > start {
                throw store.damaged(
                    table.position, "what is kept of table \(table.table) is not the fold of its events")
            }
            let daemon = try store.lastDaemonRunPosition(snapshot)
            guard daemon == lastDaemon || (lastDaemon == nil && daemon ?? .origin <= start) else {
                throw store.damaged(lastDaemon, "what is kept of the last start of a daemon leads to another event")
            }
            for (shard, revision, position) in indexed {
                let entry = try store.value(for: Schema.key(shard: shard, revision), in: store.schema.index, snapshot)
                guard entry.flatMap({ Schema.position($0) }) == position else {
                    throw store.damaged(
                        position, "the history index lacks revision \(revision) of shard number \(shard)")
                }
            }
            try checkCount(
                ofIndexed: UInt64(try store.count(of: store.schema.index, snapshot)), places.lazy.map(\.revision),
                try store.compacted(snapshot), store)
        }
    }
}

extension JournalError {
    /// Of two damages of one log.
    fileprivate func comes(before other: JournalError) -> Bool {
        guard case .damaged(_, let mine?, _) = self, case .damaged(_, let others?, _) = other else { return false }
        return mine < others
    }
}
