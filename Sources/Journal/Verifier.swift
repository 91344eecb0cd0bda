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
    /// Events that are read in one snapshot.
    private static let stretch: UInt64 = 65_536

    private struct Fold {
        var state = LogState()
        /// The newest start of a daemon.
        var lastDaemon: Position?
    }

    init(_ store: Store) { self.store = store }

    /// - Throws: `.damaged` with the first position that does not hold.
    func verify(progress: (Position) -> Void) throws(JournalError) -> VerifyReport {
        let fold = Mutex(Fold())
        var (position, chain) = (Position.origin, ChainHash.zero)
        while true {
            let last = try store.read { (snapshot) throws(JournalError) in try store.lastPosition(snapshot) }
            if position < last {
                let end = Position(min(position.number + Self.stretch, last.number))
                chain = try check(from: position, to: end, after: chain, fold)
                position = end
                progress(position)
                continue
            }
            // The end, as far as this snapshot goes: what is kept beside the log must say the same as its fold.
            let report: VerifyReport? = try store.read { (snapshot) throws(JournalError) in
                guard try store.lastPosition(snapshot) == position else { return nil }  // a daemon went on meanwhile
                let folded = fold.withLock { $0 }
                try compare(folded, snapshot)
                return VerifyReport(events: position.number, shards: folded.state.shards.count, lastPosition: position)
            }
            guard let report else { continue }
            try store.checkPages(readsAll: true)
            return report
        }
    }

    /// Checks the chain of the newest events, and that the log and the states agree where it ends.
    ///
    /// - Parameter withKept: also that what is kept beside the log stands where these events lead to. A page of states that came
    ///   back from an older time is right by every seal, and an append upon it would fork the shard.
    static func checkTail(
        _ store: Store, _ state: LogState, _ snapshot: borrowing ReadTransaction, count: UInt64, withKept: Bool
    ) throws(JournalError) {
        let entries = UInt64(try store.count(of: store.schema.log, snapshot))
        guard entries == state.last.number else {
            throw store.damaged(nil, "the log holds \(entries) events and ends at position \(state.last)")
        }
        for shard in state.shards where shard.checkpoint.position > state.last {
            throw store.damaged(
                state.last,
                "shard \(shard.key) stands at position \(shard.checkpoint.position), which the log doesn't hold")
        }
        guard state.last > .origin else { return }
        let start = Position(state.last.number > count ? state.last.number - count : 0)
        var tail = Tail(after: start)
        var position = start
        var previous = ChainHash.zero
        if position > .origin {
            guard let value = try store.value(for: Schema.key(position), in: store.schema.log, snapshot) else {
                throw store.damaged(position, "the event is missing")
            }
            previous = ChainHash(value)
        }
        try snapshot.forEach(in: store.schema.log, from: Schema.key(position.next)) {
            (key, value) throws(JournalError) in
            position = position.next
            guard Schema.position(key) == position else { throw store.damaged(position, "the event is missing") }
            let (envelope, payload, _) = try store.open(value, at: position, after: previous)
            if withKept { tail.take(envelope, payload) }
            previous = ChainHash(value)
            return true
        }
        guard position == state.last else { throw store.damaged(position.next, "the event is missing") }
        if withKept { try tail.check(store, state, snapshot) }
    }

    // MARK: - Steps

    /// - Returns: the chain's value at `end`.
    private func check(
        from start: Position, to end: Position, after chain: ChainHash, _ fold: borrowing Mutex<Fold>
    ) throws(JournalError) -> ChainHash {
        let chained = Mutex(Result<ChainHash, JournalError>.success(chain))
        let folded = Mutex<JournalError?>(nil)
        DispatchQueue.concurrentPerform(iterations: 2) { lane in
            if lane == 0 {
                let result = Result { () throws(JournalError) in try checkChain(from: start, to: end, after: chain) }
                chained.withLock { $0 = result }
            } else {
                let error: JournalError? = fold.withLock { fold in
                    do throws(JournalError) {
                        try checkFold(from: start, to: end, &fold)
                        return nil
                    } catch {
                        return error
                    }
                }
                folded.withLock { $0 = error }
            }
        }
        let chainResult = chained.withLock { $0 }
        guard let foldError = folded.withLock({ $0 }) else { return try chainResult.get() }
        // A wrong event fails in both; the chain knows better why, but what comes first in the log comes first.
        if case .failure(let chainError) = chainResult, !foldError.comes(before: chainError) { throw chainError }
        throw foldError
    }

    private func checkChain(from start: Position, to end: Position, after chain: ChainHash) throws(JournalError)
        -> ChainHash
    {
        var previous = chain
        try forEachEvent(from: start, to: end) { (value, position) throws(JournalError) in
            try store.checkHash(of: value, at: position, after: previous)
            previous = ChainHash(value)
        }
        return previous
    }

    private func checkFold(from start: Position, to end: Position, _ fold: inout Fold) throws(JournalError) {
        try forEachEvent(from: start, to: end) { (value, position) throws(JournalError) in
            let (envelope, payload, naming) = try store.decode(value, at: position)
            if payload.startsDaemon { fold.lastDaemon = position }
            if envelope.shard > 0 {
                do throws(Refusal) {
                    try Self.check(envelope, payload, naming, &fold.state)
                } catch {
                    throw store.damaged(position, "the event can't follow: \(error)")
                }
            } else if let table = envelope.table {
                var state = fold.state.tables[table] ?? TableState(table: table)
                state.apply(payload, position: position, time: envelope.time)
                fold.state.tables[table] = state
            }
        }
    }

    /// One step of the fold of a shard, and its link to the step before.
    private static func check(
        _ envelope: WireFormat.Envelope, _ payload: Payload, _ naming: ShardKey?, _ fold: inout LogState
    ) throws(Refusal) {
        guard Int(envelope.shard) <= fold.shards.count else {
            guard let name = naming, Int(envelope.shard) == fold.shards.count + 1, envelope.revision == Revision(1)
            else {
                throw unnamed(envelope, payload, naming)
            }
            fold.add(try .beginning(name, with: payload, position: envelope.position, time: envelope.time))
            return
        }
        let index = Int(envelope.shard) - 1
        let (revision, previous) = (fold.shards[index].checkpoint.revision, fold.shards[index].checkpoint.position)
        guard envelope.revision == revision.next, envelope.previous == previous else {
            throw wrongLink(envelope, payload, fold)
        }
        try fold.apply(payload, to: envelope.shard, position: envelope.position, time: envelope.time)
    }

    private static func unnamed(_ envelope: WireFormat.Envelope, _ payload: Payload, _ naming: ShardKey?) -> Refusal {
        let nobody = ShardKey(
            table: TableName("?"), stream: StreamARN("?"), shard: ShardID("number \(envelope.shard)"))
        return Refusal(
            shard: naming ?? nobody, revision: .none, attempted: envelope.revision, kind: payload.kind,
            rule: "a shard's first event names it")
    }

    private static func wrongLink(_ envelope: WireFormat.Envelope, _ payload: Payload, _ fold: LogState) -> Refusal {
        let checkpoint = fold.shards[Int(envelope.shard) - 1].checkpoint
        return Refusal(
            shard: checkpoint.shard, revision: checkpoint.revision, attempted: envelope.revision, kind: payload.kind,
            rule: "its link leads to position \(envelope.previous), and the shard's event before it is at "
                + "\(checkpoint.position)")
    }

    /// Every position behind `start`, up to `end`, which the log is known to hold.
    private func forEachEvent(
        from start: Position, to end: Position, _ body: (Span<UInt8>, Position) throws(JournalError) -> Void
    ) throws(JournalError) {
        try store.read { (snapshot) throws(JournalError) in
            var position = start
            try snapshot.forEach(in: store.schema.log, from: Schema.key(start.next)) {
                (key, value) throws(JournalError) in
                guard Schema.position(key) == position.next else {
                    throw store.damaged(position.next, "the event is missing")
                }
                position = position.next
                try body(value, position)
                return position < end
            }
            guard position == end else { throw store.damaged(position.next, "the event is missing") }
        }
    }

    /// What is kept beside the log must be its fold, and the index must lead to the events that it names.
    private func compare(_ folded: Fold, _ snapshot: borrowing ReadTransaction) throws(JournalError) {
        let kept = try store.state(snapshot)
        let fold = folded.state
        guard kept.shards.count == fold.shards.count else {
            throw store.damaged(
                nil, "the log knows \(fold.shards.count) shards, and \(kept.shards.count) are kept beside it")
        }
        for (kept, folded) in zip(kept.shards, fold.shards) where kept.checkpoint != folded.checkpoint {
            throw store.damaged(
                folded.checkpoint.position, "what is kept of shard \(folded.key) is not the fold of its events")
        }
        for (name, folded) in fold.tables where kept.tables[name] != folded {
            throw store.damaged(folded.position, "what is kept of table \(name) is not the fold of its events")
        }
        guard kept.tables.count == fold.tables.count else {
            throw store.damaged(nil, "a table is kept that the log doesn't know")
        }
        guard try store.lastDaemonRunPosition(snapshot) == folded.lastDaemon else {
            throw store.damaged(folded.lastDaemon, "what is kept of the last start of a daemon leads to another event")
        }
        try compareIndex(fold, snapshot)
    }

    private func compareIndex(_ fold: LogState, _ snapshot: borrowing ReadTransaction) throws(JournalError) {
        var entries: UInt64 = 0
        try snapshot.forEach(in: store.schema.index) { (key, value) throws(JournalError) in
            entries += 1
            guard let ordinal = Schema.ordinal(key), let revision = Schema.revision(key), Schema.isIndexed(revision),
                let position = Schema.position(value),
                let event = try store.value(for: Schema.key(position), in: store.schema.log, snapshot),
                let decoded = WireFormat.decodeEvent(event),
                decoded.envelope.shard == ordinal, decoded.envelope.revision == revision
            else { throw store.damaged(nil, "an entry of the history index leads to another event than it names") }
            return true
        }
        try Self.checkCount(of: entries, fold, store)
    }
}

extension Verifier {
    /// The index has as many entries as the shards' revisions ask for.
    fileprivate static func checkCount(of entries: UInt64, _ state: LogState, _ store: Store) throws(JournalError) {
        let expected = state.shards.reduce(UInt64(0)) {
            $0 + ($1.checkpoint.revision.number + Schema.indexInterval - 1) / Schema.indexInterval
        }
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

        mutating func take(_ envelope: WireFormat.Envelope, _ payload: Payload) {
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

        func check(_ store: Store, _ state: LogState, _ snapshot: borrowing ReadTransaction) throws(JournalError) {
            if let stranger = shards.keys.max(), Int(stranger) > state.shards.count {
                throw store.damaged(
                    shards[stranger]?.position,
                    "the log knows \(stranger) shards, and \(state.shards.count) are kept beside it")
            }
            for index in state.shards.indices {
                let checkpoint = state.shards[index].checkpoint
                let found = shards[UInt32(index + 1)]
                // A shard without an event here stands before all of them.
                guard found.map({ $0 == (checkpoint.position, checkpoint.revision) }) ?? (checkpoint.position <= start)
                else {
                    throw store.damaged(
                        found?.position ?? checkpoint.position,
                        "what is kept of shard \(checkpoint.shard) is not the fold of its events")
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
            try checkCount(of: UInt64(try store.count(of: store.schema.index, snapshot)), state, store)
        }
    }
}

extension Payload {
    fileprivate var startsDaemon: Bool {
        if case .runStarted(let started) = self { started.role == "daemon" } else { false }
    }
}

extension JournalError {
    /// Of two damages of one log.
    fileprivate func comes(before other: JournalError) -> Bool {
        guard case .damaged(_, let mine?, _) = self, case .damaged(_, let others?, _) = other else { return false }
        return mine < others
    }
}
