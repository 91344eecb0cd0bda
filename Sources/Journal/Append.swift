internal import StreamModel

/// One call of `append` on its way through a state: checks what may follow, and collects what is to be written.
///
/// Pure: it sees the state and the drafts, and no storage. Either all of its events are admitted or none.
struct Append {
    struct Entry {
        let value: [UInt8]
        let position: Position
        /// Ordinal and revision of a shard's event that the index wants.
        let indexed: (shard: UInt32, revision: Revision)?
    }

    private(set) var entries: [Entry] = []
    /// New shards, by ordinal.
    private(set) var named: [(ordinal: UInt32, key: ShardKey)] = []
    private(set) var receipts: [Receipt] = []
    private(set) var startedDaemon: Position?

    /// What of the state this append changes, and nothing more.
    private var checkpoints: [UInt32: Checkpoint] = [:]
    private var newOrdinals: [ShardKey: UInt32] = [:]
    private var tables: [TableName: TableState] = [:]
    private var last: Position
    private var chain: ChainHash
    private let time: Timestamp
    private let run: RunID?

    init(_ state: borrowing LogState, time: Timestamp, run: RunID?) {
        last = state.last
        chain = state.chain
        self.time = time
        self.run = run
    }

    /// - Throws: `.conflict`, `.refused`.
    mutating func admit(_ drafts: [Draft], to state: borrowing LogState) throws(JournalError) {
        for draft in drafts {
            switch draft.subject {
            case .shard(let key): try admit(draft, about: key, to: state)
            case .table(let name):
                var table = tables[name] ?? state.tables[name] ?? TableState(table: name)
                for payload in draft.payloads {
                    log(payload, shard: 0, revision: .none, previous: .origin, table: name, naming: nil)
                    table.apply(payload, position: last, time: time)
                }
                tables[name] = table
                receipts.append(Receipt(position: last, checkpoint: nil))
            case .run:
                for payload in draft.payloads { log(payload, shard: 0, revision: .none, previous: .origin, table: nil, naming: nil) }
                receipts.append(Receipt(position: last, checkpoint: nil))
            }
        }
        try checkLineage(in: state)
    }

    private mutating func admit(_ draft: Draft, about key: ShardKey, to state: borrowing LogState) throws(JournalError) {
        let known = state.ordinals[key] ?? newOrdinals[key]
        var checkpoint = known.flatMap { checkpoints[$0] ?? state[$0]?.checkpoint }
        let found = checkpoint?.revision ?? .none
        guard draft.expecting == nil || draft.expecting == found else {
            throw .conflict(shard: key, expected: draft.expecting ?? .none, found: found)
        }
        let ordinal = known ?? UInt32(state.shards.count + newOrdinals.count + 1)
        for payload in draft.payloads {
            let previous = checkpoint?.position ?? .origin
            do throws(Refusal) {
                if var next = checkpoint {
                    try next.apply(payload, position: last.next, time: time)
                    checkpoint = next
                } else {
                    checkpoint = try .beginning(key, with: payload, position: last.next, time: time)
                    newOrdinals[key] = ordinal
                    named.append((ordinal, key))
                }
            } catch {
                throw .refused(error)
            }
            let revision = checkpoint?.revision ?? .none
            log(payload, shard: ordinal, revision: revision, previous: previous, table: nil, naming: key)
        }
        if let checkpoint { checkpoints[ordinal] = checkpoint }
        receipts.append(Receipt(position: last, checkpoint: checkpoint))
    }

    private mutating func log(
        _ payload: Payload, shard: UInt32, revision: Revision, previous: Position, table: TableName?, naming: ShardKey?
    ) {
        last = last.next
        let envelope = WireFormat.Envelope(
            position: last, time: time, run: run ?? RunID(last), shard: shard, revision: revision,
            previous: previous, table: table)
        var value = WireFormat.encode(envelope, payload, naming: naming)
        chain = Sealed.seal(&value, after: chain)
        let indexed = shard > 0 && Schema.isIndexed(revision) ? (shard, revision) : nil
        entries.append(Entry(value: value, position: last, indexed: indexed))
        if case .runStarted(let started) = payload, started.role == "daemon" { startedDaemon = last }
    }

    /// A child is never in processing while its parent isn't done (DESIGN 3.2), looked at once all events of the append are
    /// folded: a rewind sets a parent and its descendants back together.
    private func checkLineage(in state: borrowing LogState) throws(JournalError) {
        for (ordinal, checkpoint) in checkpoints {
            if checkpoint.status == .inProcessing, let parent = parent(of: checkpoint, in: state),
                !parent.status.letsChildrenStart
            {
                throw refusal(checkpoint, "its parent \(parent.shard.shard) is \(parent.status.rawValue), and must be done first")
            }
            guard !checkpoint.status.letsChildrenStart, let before = state[ordinal], before.checkpoint.status.letsChildrenStart
            else { continue }
            for child in before.children {
                guard let child = checkpoints[child] ?? state[child]?.checkpoint, child.hasStarted else { continue }
                throw refusal(checkpoint, "its child \(child.shard.shard) has begun, and must be set back with it")
            }
        }
    }

    private func parent(of checkpoint: Checkpoint, in state: borrowing LogState) -> Checkpoint? {
        guard let parent = checkpoint.parent else { return nil }
        let key = ShardKey(table: checkpoint.shard.table, stream: checkpoint.shard.stream, shard: parent)
        guard let ordinal = state.ordinals[key] ?? newOrdinals[key] else { return nil }
        return checkpoints[ordinal] ?? state[ordinal]?.checkpoint
    }

    private func refusal(_ checkpoint: Checkpoint, _ rule: String) -> JournalError {
        .refused(
            Refusal(
                shard: checkpoint.shard, revision: checkpoint.revision, attempted: checkpoint.revision,
                kind: "status_changed", rule: rule))
    }

    /// Takes what was admitted over into the state.
    ///
    /// - Returns: shards and tables whose kept state changed.
    func fold(into state: inout LogState) -> (shards: [UInt32], tables: [TableName]) {
        for ordinal in checkpoints.keys.sorted() {
            if let checkpoint = checkpoints[ordinal] { state.set(checkpoint, ordinal: ordinal) }
        }
        for (name, table) in tables { state.tables[name] = table }
        state.last = last
        state.chain = chain
        return (Array(checkpoints.keys), Array(tables.keys))
    }
}
