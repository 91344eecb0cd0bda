internal import LMDB
internal import StreamModel

/// A transaction's worth of appends: checked, folded and encoded as they come, and not yet durable.
///
/// An append is admitted whole or not at all. The state is changed in place, since to copy what an append touches costs more
/// than to fold it; what a refused one had changed is taken back.
struct Stage {
    private(set) var state: LogState
    private(set) var run: RunID?

    /// Encoded events that wait to be put, one behind the other.
    private var log = WireWriter(capacity: 4096)
    private var entries: [Entry] = []
    /// New shards.
    private var named: [UInt32] = []
    private var changedShards: [UInt32] = []
    private var changedTables: Set<TableName> = []
    private var startedDaemon: Position?
    /// What the append under way has changed, oldest first.
    private var changes: [Change] = []
    private(set) var isEmpty = true

    private struct Entry {
        let position: Position
        /// Where the log's bytes of this event begin.
        let start: Int
        /// Of a shard's event that the index wants.
        let indexed: (shard: UInt32, revision: Revision)?
    }

    /// A step that can be taken back.
    private enum Change {
        case added(UInt32)
        case changed(UInt32, Checkpoint)
        case table(TableName, TableState?)
    }

    init(state: LogState, run: RunID?) {
        self.state = state
        self.run = run
    }

    /// - Throws: never more than `admit` does for any other event.
    mutating func start(_ started: RunStarted) throws(JournalError) {
        _ = try admit([Draft(run: .runStarted(started))]).get()
        run = RunID(state.last)
    }

    /// - Returns: a receipt a draft, or `.conflict` or `.refused`, and then nothing of it is admitted.
    mutating func admit(_ drafts: [Draft]) -> Result<[Receipt], JournalError> {
        let before = (
            last: state.last, chain: state.chain, log: log.bytes.count, entries: entries.count, named: named.count,
            changedShards: changedShards.count, startedDaemon: startedDaemon
        )
        changes.removeAll(keepingCapacity: true)
        do throws(JournalError) {
            let time = Timestamp.now()
            // Nearly every append is one advance, which changes nothing where it is refused, and no lineage.
            if drafts.count == 1, drafts[0].isOneAdvance {
                let receipt = try admit(drafts[0], time, keepsUndo: false)
                isEmpty = false
                return .success([receipt])
            }
            var receipts: [Receipt] = []
            receipts.reserveCapacity(drafts.count)
            for draft in drafts { receipts.append(try admit(draft, time, keepsUndo: true)) }
            try checkLineage()
            isEmpty = isEmpty && entries.isEmpty
            return .success(receipts)
        } catch {
            for change in changes.reversed() { takeBack(change) }
            (state.last, state.chain) = (before.last, before.chain)
            log.bytes.removeLast(log.bytes.count - before.log)
            entries.removeLast(entries.count - before.entries)
            named.removeLast(named.count - before.named)
            changedShards.removeLast(changedShards.count - before.changedShards)
            startedDaemon = before.startedDaemon
            return .failure(error)
        }
    }

    private mutating func takeBack(_ change: Change) {
        switch change {
        case .added: state.removeLast()
        case .changed(let ordinal, let checkpoint): state.restore(checkpoint, ordinal: ordinal)
        // That it stands among the changed tables does no harm: it is written as it is.
        case .table(let name, let table): state.tables[name] = table
        }
    }

    // MARK: - One draft

    private mutating func admit(_ draft: Draft, _ time: Timestamp, keepsUndo: Bool) throws(JournalError) -> Receipt {
        switch draft.subject {
        case .shard(let key):
            return try admit(draft, about: key, time, keepsUndo: keepsUndo)
        case .table(let name):
            let known = state.tables[name]
            changes.append(.table(name, known))
            var table = known ?? TableState(table: name)
            for payload in draft.payloads {
                write(payload, time, shard: 0, revision: .none, previous: .origin, table: name, naming: nil)
                table.apply(payload, position: state.last, time: time)
            }
            state.tables[name] = table
            changedTables.insert(name)
        case .run:
            for payload in draft.payloads {
                write(payload, time, shard: 0, revision: .none, previous: .origin, table: nil, naming: nil)
                if case .runStarted(let started) = payload, started.role == "daemon" { startedDaemon = state.last }
            }
        }
        return Receipt(position: state.last, checkpoint: nil)
    }

    private mutating func admit(
        _ draft: Draft, about key: ShardKey, _ time: Timestamp, keepsUndo: Bool
    ) throws(JournalError) -> Receipt {
        var ordinal = state.ordinals[key]
        var (revision, previous) = (Revision.none, Position.origin)
        if let ordinal { (revision, previous) = state.place(of: ordinal) }
        guard draft.expecting == nil || draft.expecting == revision else {
            throw .conflict(shard: key, expected: draft.expecting ?? .none, found: revision)
        }
        if keepsUndo, let ordinal, let known = state.checkpoint(ordinal) { changes.append(.changed(ordinal, known)) }
        for payload in draft.payloads {
            let position = state.last.next
            do throws(Refusal) {
                if let ordinal {
                    try state.apply(payload, to: ordinal, position: position, time: time)
                } else {
                    let added = state.add(try .beginning(key, with: payload, position: position, time: time))
                    changes.append(.added(added))
                    named.append(added)
                    ordinal = added
                }
            } catch {
                throw .refused(error)
            }
            revision = revision.next
            write(
                payload, time, shard: ordinal ?? 0, revision: revision, previous: previous, table: nil, naming: key)
            previous = position
        }
        if let ordinal { changedShards.append(ordinal) }
        return Receipt(position: state.last, checkpoint: ordinal.flatMap { state.checkpoint($0) })
    }

    private mutating func write(
        _ payload: Payload, _ time: Timestamp, shard: UInt32, revision: Revision, previous: Position, table: TableName?,
        naming: ShardKey?
    ) {
        let start = log.bytes.count
        state.last = state.last.next
        let envelope = WireFormat.Envelope(
            position: state.last, time: time, run: run ?? RunID(state.last), shard: shard, revision: revision,
            previous: previous, table: table)
        WireFormat.write(envelope, payload, naming: naming, to: &log)
        state.chain = Sealed.seal(&log.bytes, from: start, after: state.chain)
        let indexed = shard > 0 && Schema.isIndexed(revision) ? (shard, revision) : nil
        entries.append(Entry(position: state.last, start: start, indexed: indexed))
    }

    // MARK: - Lineage

    /// A child is never in processing while its parent isn't done (DESIGN 3.2), looked at once all events of the append are
    /// folded: a rewind sets a parent and its descendants back together. What an append doesn't touch was right before it.
    private func checkLineage() throws(JournalError) {
        for change in changes {
            switch change {
            case .added(let ordinal): try checkLineage(of: ordinal, before: nil)
            case .changed(let ordinal, let checkpoint): try checkLineage(of: ordinal, before: checkpoint)
            case .table: break
            }
        }
    }

    private func checkLineage(of ordinal: UInt32, before: Checkpoint?) throws(JournalError) {
        guard let now = state.checkpoint(ordinal) else { return }
        guard now.status != before?.status || now.parent != before?.parent else { return }
        if now.status == .inProcessing, let parent = state.parent(of: now), !parent.status.letsChildrenStart {
            throw refusal(now, "its parent \(parent.shard.shard) is \(parent.status.rawValue), and must be done first")
        }
        guard !now.status.letsChildrenStart, before?.status.letsChildrenStart ?? true else { return }
        for child in state.children(of: ordinal) {
            guard let child = state.checkpoint(child), child.hasStarted else { continue }
            throw refusal(now, "its child \(child.shard.shard) has begun, and must be set back with it")
        }
    }

    private func refusal(_ checkpoint: Checkpoint, _ rule: String) -> JournalError {
        .refused(
            Refusal(
                shard: checkpoint.shard, revision: checkpoint.revision, attempted: checkpoint.revision,
                kind: "status_changed", rule: rule))
    }

    // MARK: - Into the transaction

    /// Puts the events that were admitted since the last time.
    mutating func putEvents(into transaction: inout WriteTransaction, _ schema: Schema) throws(LMDBError) {
        for (index, entry) in entries.enumerated() {
            let end = index + 1 < entries.count ? entries[index + 1].start : log.bytes.count
            let value = log.bytes.span.extracting(entry.start..<end)
            try transaction.put(value, for: entry.position.number, in: schema.log, appending: true)
            if let (shard, revision) = entry.indexed {
                try transaction.put(Schema.key(entry.position), for: Schema.key(shard: shard, revision), in: schema.index)
            }
        }
        entries.removeAll(keepingCapacity: true)
        log.bytes.removeAll(keepingCapacity: true)
    }

    /// Puts names, and one value for each state that changed, however many events changed it.
    mutating func putStates(into transaction: inout WriteTransaction, _ schema: Schema) throws(LMDBError) {
        for ordinal in named {
            guard let shard = state[ordinal] else { continue }
            let key = Schema.key(shard: ordinal)
            try transaction.put(Self.sealed(WireFormat.encode(shard.key), key), for: key, in: schema.shards)
        }
        // In the order of their keys, since neighbours lie on one page.
        changedShards.sort()
        var last: UInt32 = 0
        for ordinal in changedShards where ordinal != last {
            last = ordinal
            guard let checkpoint = state.checkpoint(ordinal) else { continue }
            log.bytes.removeAll(keepingCapacity: true)
            WireFormat.write(checkpoint, to: &log)
            Sealed.seal(&log.bytes, under: Schema.key(shard: ordinal))
            try transaction.put(log.bytes.span, for: ordinal, in: schema.checkpoints)
        }
        for name in changedTables {
            guard let table = state.tables[name] else { continue }
            let key = Schema.key(name)
            try transaction.put(Self.sealed(WireFormat.encode(table), key), for: key, in: schema.tables)
        }
        if let startedDaemon {
            try transaction.put(Schema.key(startedDaemon), for: Schema.lastDaemonRunKey, in: schema.meta)
        }
    }

    private static func sealed(_ unsealed: [UInt8], _ key: [UInt8]) -> [UInt8] {
        var value = unsealed
        Sealed.seal(&value, under: key)
        return value
    }
}
