internal import LMDB
internal import StreamModel

/// The appends of one transaction: folded into the state and encoded as they come, put when they are admitted, and not yet
/// durable.
///
/// The state is changed in place, since a copy would cost every append as much as there are shards; what is refused is
/// undone. The buffers are kept from one transaction to the next.
struct Stage: Sendable {
    private struct Entry {
        /// Where the event's value ends in `log`; it begins where the one before it ends.
        let end: Int
        /// Ordinal and revision of a shard's event that the index wants.
        let indexed: (shard: UInt32, revision: Revision)?
    }

    /// What stood in the state before a draft.
    private enum Before {
        case newShard(UInt32)
        case shard(UInt32, Checkpoint)
        case table(TableName, TableState?)
    }

    private(set) var state: LogState
    private(set) var run: RunID?

    /// Of the append that is being admitted, the newest last.
    private var before: [Before] = []
    /// Events that are admitted and not yet put: their values, one after the other.
    private var log = WireWriter(capacity: 1 << 16)
    private var entries: [Entry] = []
    /// One kept state at a time.
    private var kept = WireWriter()

    // Since the transaction began:
    private var first: Position
    private var knownShards: Int
    /// Ordinals and names of what changed, as often as it did.
    private var changedShards: [UInt32] = []
    /// Of those whose status may have changed, the ordinals, as often as it may.
    private var changedLines: [UInt32] = []
    /// Ordinals of shards that were held for this transaction alone.
    private var recalled: [UInt32] = []
    private var changedTables: Set<TableName> = []
    private var startedDaemon: Position?

    init(_ state: LogState, run: RunID?) {
        self.state = state
        self.run = run
        first = state.last
        knownShards = state.shardCount
    }

    /// Whether the transaction has nothing to write.
    var isEmpty: Bool { state.last == first }

    /// Forgets the last transaction, which is durable, and lets go of what is over since.
    mutating func beginTransaction() {
        for ordinal in recalled + changedLines { state.release(ordinal) }
        recalled.removeAll(keepingCapacity: true)
        changedLines.removeAll(keepingCapacity: true)
        first = state.last
        knownShards = state.shardCount
        changedShards.removeAll(keepingCapacity: true)
        changedTables.removeAll(keepingCapacity: true)
        startedDaemon = nil
    }

    /// Of the shards whose status may have changed in this transaction, whether they are over.
    var changedStatuses: [(ordinal: UInt32, isOver: Bool)] {
        changedLines.map { ($0, state.letsChildrenStart($0)) }
    }

    /// Holds what `drafts` are about and what their rules look at.
    mutating func recall(
        for drafts: [Draft], _ store: Store, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) {
        for draft in drafts {
            guard case .shard(let key) = draft.subject else { continue }
            if state.ordinal(of: key) == nil {
                try recall(key, store, transaction)
                // It may be new, and children of it be known: they must not have begun.
                for child in state.orphans(of: key) { try recall(child, store, transaction) }
            }
            for payload in draft.payloads {
                switch payload {
                case .shardDiscovered(let discovered):
                    guard let parent = discovered.parent else { break }
                    try recall(ShardKey(table: key.table, stream: key.stream, shard: parent), store, transaction)
                case .rewound:
                    guard let ordinal = state.ordinal(of: key) else { break }
                    for child in state.children(of: ordinal) { try recall(child, store, transaction) }
                default: break  // no other looks at a shard that may be over
                }
            }
        }
    }

    private mutating func recall(
        _ key: ShardKey, _ store: Store, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) {
        guard state.ordinal(of: key) == nil, let ordinal = try store.ordinal(of: key, transaction) else { return }
        state.hold(try store.checkpoint(of: key, ordinal: ordinal, transaction), ordinal)
        recalled.append(ordinal)
    }

    private mutating func recall(
        _ ordinal: UInt32, _ store: Store, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) {
        guard !state.isHeld(ordinal) else { return }
        try recall(try store.name(of: ordinal, transaction), store, transaction)
    }

    // MARK: - Folding

    /// Begins the writer's run.
    mutating func start(_ started: RunStarted, time: Timestamp) {
        append(.runStarted(started), Place(), time: time)
        run = RunID(state.last)
    }

    /// Admits all of an append or none of it: `.conflict`, `.refused`.
    mutating func admit(_ drafts: [Draft], time: Timestamp) -> Result<[Receipt], JournalError> {
        let (last, chain, entryCount, logEnd) = (state.last, state.chain, entries.count, log.count)
        let (shardCount, lineCount, tables) = (changedShards.count, changedLines.count, changedTables)
        // What an append about thousands of shards needed would be kept for ever.
        before.removeAll(keepingCapacity: before.count < 64)
        do throws(JournalError) {
            var receipts: [Receipt] = []
            receipts.reserveCapacity(drafts.count)
            let isAlone = drafts.count == 1 && drafts[0].payloads.count == 1
            for index in drafts.indices { receipts.append(try admit(drafts[index], isAlone: isAlone, time: time)) }
            try checkLineage()
            return .success(receipts)
        } catch {
            undo()
            (state.last, state.chain) = (last, chain)
            entries.removeLast(entries.count - entryCount)
            log.truncate(to: logEnd)
            changedShards.removeLast(changedShards.count - shardCount)
            changedLines.removeLast(changedLines.count - lineCount)
            changedTables = tables
            return .failure(error)
        }
    }

    /// - Parameter isAlone: the draft's one event is all of the append.
    private mutating func admit(_ draft: Draft, isAlone: Bool, time: Timestamp) throws(JournalError) -> Receipt {
        switch draft.subject {
        case .shard(let key): return try admit(draft, about: key, isAlone: isAlone, time: time)
        case .table(let name):
            guard draft.during == nil || draft.during == state.tables[name]?.fullSync else {
                throw .superseded(table: name)
            }
            before.append(.table(name, state.tables[name]))
            changedTables.insert(name)
            for payload in draft.payloads {
                append(payload, Place(table: name), time: time)
                state.tables[name, default: TableState(table: name)].apply(payload, position: state.last, time: time)
            }
        case .run:
            for payload in draft.payloads { append(payload, Place(), time: time) }
        }
        return Receipt(position: state.last, checkpoint: nil)
    }

    private mutating func admit(
        _ draft: Draft, about key: ShardKey, isAlone: Bool, time: Timestamp
    ) throws(JournalError) -> Receipt {
        let known = state.ordinal(of: key)
        let found = known.map { state[$0].revision } ?? .none
        guard draft.expecting == nil || draft.expecting == found else {
            throw .conflict(shard: key, expected: draft.expecting ?? .none, found: found)
        }
        var next = draft.payloads.startIndex
        let ordinal: UInt32
        if let known {
            ordinal = known
            if isAlone, !draft.payloads[next].changesLineage {
                // The ordinary append. It can be checked beforehand, and a step that is refused changes nothing: there is
                // nothing to undo, so nothing is kept for that.
                try checkParent(of: known)
            } else {
                before.append(.shard(known, state[known]))
                changedLines.append(known)
            }
        } else {
            guard let discovery = draft.payloads.first else { return Receipt(position: state.last, checkpoint: nil) }
            ordinal = UInt32(state.shardCount + 1)
            do throws(Refusal) {
                let new = try Checkpoint.beginning(key, with: discovery, position: state.last.next, time: time)
                state.add(new, parent: new.parentKey.flatMap { state.ordinal(of: $0) })
            } catch {
                throw .refused(error)
            }
            before.append(.newShard(ordinal))
            changedLines.append(ordinal)
            append(discovery, Place(shard: ordinal, revision: Revision(1), naming: key), time: time)
            next += 1
        }
        changedShards.append(ordinal)
        while next < draft.payloads.endIndex {
            var place = Place(shard: ordinal, previous: state[ordinal].position)
            do throws(Refusal) {
                try state.apply(draft.payloads[next], to: ordinal, position: state.last.next, time: time)
            } catch {
                throw .refused(error)
            }
            place.revision = state[ordinal].revision
            append(draft.payloads[next], place, time: time)
            next += 1
        }
        return Receipt(position: state.last, checkpoint: state[ordinal])
    }

    /// What an event is about, as its envelope says it.
    private struct Place {
        var shard: UInt32 = 0
        var revision = Revision.none
        var previous = Position.origin
        var table: TableName?
        var naming: ShardKey?
    }

    /// Puts an event at the end of the log, as far as this transaction goes.
    private mutating func append(_ payload: Payload, _ place: Place, time: Timestamp) {
        state.last = state.last.next
        let envelope = WireFormat.Envelope(
            position: state.last, time: time, run: run ?? RunID(state.last), shard: place.shard,
            revision: place.revision,
            previous: place.previous, table: place.table)
        let start = log.count
        log.skip(ChainHash.count)
        WireFormat.encode(envelope, payload, naming: place.naming, onto: &log)
        state.chain = Sealed.chain(&log, from: start, after: state.chain)
        let isIndexed = place.shard > 0 && Schema.isIndexed(place.revision)
        entries.append(Entry(end: log.count, indexed: isIndexed ? (place.shard, place.revision) : nil))
        if case .runStarted(let started) = payload, started.role == "daemon" { startedDaemon = state.last }
    }

    /// A child is never in processing while its parent isn't done (DESIGN 3.2), looked at once all events of the append are
    /// folded: a rewind sets a parent and its descendants back together.
    private func checkLineage() throws(JournalError) {
        for change in before {
            switch change {
            case .table: break
            case .newShard(let ordinal):
                try checkParent(of: ordinal)
                // Those that were seen before it began as if it were gone.
                try checkChildren(of: ordinal)
            case .shard(let ordinal, let earlier):
                try checkParent(of: ordinal, since: earlier.status)
                if earlier.status.letsChildrenStart { try checkChildren(of: ordinal) }
            }
        }
    }

    private func checkChildren(of ordinal: UInt32) throws(JournalError) {
        guard !state.letsChildrenStart(ordinal) else { return }
        for child in state.children(of: ordinal) {
            let child = state[child]
            guard !child.beginsAtItsStart else { continue }
            throw refusal(
                state[ordinal], "its child \(child.shard.shard) has begun, and must be set back with it")
        }
    }

    /// Neither reading nor giving up begins before the parent is over: a rewind may have set that back meanwhile.
    private func checkParent(of ordinal: UInt32, since earlier: Status = .notProcessed) throws(JournalError) {
        let status = state[ordinal].status
        guard status == .inProcessing || status == .lost && earlier != .lost, let parent = state.parent(of: ordinal),
            !state.letsChildrenStart(parent)
        else { return }
        let (child, parentShard) = (state[ordinal], state[parent])
        throw refusal(
            child, "its parent \(parentShard.shard.shard) is \(parentShard.status.rawValue), and must be done first")
    }

    private func refusal(_ checkpoint: Checkpoint, _ rule: String) -> JournalError {
        .refused(
            Refusal(
                shard: checkpoint.shard, revision: checkpoint.revision, attempted: checkpoint.revision,
                kind: "status_changed", rule: rule))
    }

    private mutating func undo() {
        for change in before.reversed() {
            switch change {
            case .newShard: state.removeLast()
            case .shard(let ordinal, let checkpoint): state.restore(checkpoint, of: ordinal)
            case .table(let name, let table): state.tables[name] = table
            }
        }
    }

    // MARK: - Writing

    /// Puts the events that were admitted since the last time, and their entries in the index.
    mutating func putEvents(to transaction: inout WriteTransaction, _ schema: Schema) throws(LMDBError) {
        var position = Position(state.last.number - UInt64(entries.count))
        var start = 0
        for entry in entries {
            position = position.next
            try log.withBytes(in: start..<entry.end) { (value) throws(LMDBError) in
                try transaction.put(value, for: position.number, in: schema.log, appending: true)
            }
            if let (shard, revision) = entry.indexed {
                try transaction.put(Schema.key(position), for: Schema.key(shard: shard, revision), in: schema.index)
            }
            start = entry.end
        }
        entries.removeAll(keepingCapacity: true)
        log.truncate(to: 0)
    }

    /// New names, and one put for each state that changed, however many events changed it.
    mutating func putStates(to transaction: inout WriteTransaction, _ schema: Schema) throws(LMDBError) {
        for index in knownShards..<state.shardCount {
            let ordinal = UInt32(index + 1)
            try put(under: ordinal, in: schema.shards, &transaction) {
                WireFormat.encode($0[ordinal].shard, onto: &$1)
            }
        }
        changedShards.sort()
        var last: UInt32 = 0
        for ordinal in changedShards where ordinal != last {
            last = ordinal
            try put(under: ordinal, in: schema.checkpoints, &transaction) {
                WireFormat.encode($0[ordinal], onto: &$1)
            }
        }
        for name in changedTables {
            guard let table = state.tables[name] else { continue }
            let key = Schema.key(name)
            kept.truncate(to: 0)
            kept.skip(Seal.count)
            WireFormat.encode(table, onto: &kept)
            Sealed.seal(&kept, under: key)
            try transaction.put(kept.written, for: key, in: schema.tables)
        }
        if let startedDaemon {
            try transaction.put(Schema.key(startedDaemon), for: Schema.lastDaemonRunKey, in: schema.meta)
        }
    }

    private mutating func put(
        under ordinal: UInt32, in table: Table, _ transaction: inout WriteTransaction,
        _ encode: (borrowing LogState, inout WireWriter) -> Void
    ) throws(LMDBError) {
        kept.truncate(to: 0)
        kept.skip(Seal.count)
        encode(state, &kept)
        Sealed.seal(&kept, under: ordinal)
        try kept.withBytes(in: 0..<kept.count) { (value) throws(LMDBError) in
            try transaction.put(value, for: ordinal, in: table)
        }
    }
}

extension Payload {
    /// Whether a shard's status or its parent may be another one afterwards.
    fileprivate var changesLineage: Bool {
        switch self {
        case .shardDiscovered, .statusChanged, .rewound, .imported: true
        case .queried, .iteratorResolved, .sequenceAdvanced, .advancesFolded, .historyFolded, .faulted, .unknown,
            .runStarted, .runStopped, .phaseChanged, .tableRemoved, .scanAdvanced, .rowsSwept, .repaired,
            .scanFinished,
            .rangeLost, .lossAcknowledged, .recordRefused, .refusalSettled,
            .inStep, .paused, .resumed:
            false
        }
    }
}
