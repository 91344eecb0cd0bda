internal import Dispatch
internal import LMDB
internal import StreamModel
internal import Synchronization

/// Proves that the log is whole and that what is kept beside it is its fold.
///
/// Reads in short snapshots, so that a daemon beside it can use its pages again. Hashing and decoding, which are most of the
/// work and need no order, are shared by the processor's cores, beside folding, which is done in the log's order.
struct Verifier {
    private let store: Store
    private static let chunk = 16_384
    private static let lanes = 2

    init(_ store: Store) { self.store = store }

    private struct Record: Sendable {
        let envelope: WireFormat.Envelope
        let payload: Payload
        let naming: ShardKey?
    }

    /// - Throws: `.damaged` with the first position that does not hold.
    func verify(progress: (Position) -> Void) throws(JournalError) -> VerifyReport {
        let fold = Mutex(LogState())
        var decoded: [Record] = []
        var (position, chain) = (Position.origin, ChainHash.zero)
        while true {
            let values = try read(after: position)
            decoded = try work(on: values, after: chain, from: position, folding: decoded, into: fold)
            if let last = values.last {
                position = Position(position.number + UInt64(values.count))
                chain = ChainHash(last)
            }
            progress(position)
            guard values.isEmpty else { continue }
            // The end, as far as this snapshot goes: what is kept beside the log must say the same as its fold.
            let report: VerifyReport? = try store.read { (snapshot) throws(JournalError) in
                guard try store.lastPosition(snapshot) == position else { return nil }  // a daemon went on meanwhile
                let folded = fold.withLock { $0 }
                try compare(folded, snapshot)
                return VerifyReport(events: position.number, shards: folded.shards.count, lastPosition: position)
            }
            if let report { return report }
        }
    }

    /// Checks the chain of the newest events, and that the log and the states agree where it ends.
    static func checkTail(
        _ store: Store, _ state: LogState, _ snapshot: borrowing ReadTransaction, count: UInt64
    ) throws(JournalError) {
        let entries = UInt64(try store.count(of: store.schema.log, snapshot))
        guard entries == state.last.number else {
            throw store.damaged(nil, "the log holds \(entries) events and ends at position \(state.last)")
        }
        for shard in state.shards where shard.checkpoint.position > state.last {
            throw store.damaged(
                state.last, "shard \(shard.key) stands at position \(shard.checkpoint.position), which the log doesn't hold")
        }
        guard state.last > .origin else { return }
        var position = Position(state.last.number > count ? state.last.number - count : 0)
        var previous = ChainHash.zero
        if position > .origin {
            guard let value = try store.value(for: Schema.key(position), in: store.schema.log, snapshot) else {
                throw store.damaged(position, "the event is missing")
            }
            previous = ChainHash(value)
        }
        try snapshot.forEach(in: store.schema.log, from: Schema.key(position.next)) { (key, value) throws(JournalError) in
            position = position.next
            guard Schema.position(key) == position else { throw store.damaged(position, "the event is missing") }
            _ = try store.open(value, at: position, after: previous)
            previous = ChainHash(value)
            return true
        }
        guard position == state.last else { throw store.damaged(position.next, "the event is missing") }
    }

    // MARK: - Steps

    private func read(after position: Position) throws(JournalError) -> [[UInt8]] {
        try store.read { (snapshot) throws(JournalError) in
            var values: [[UInt8]] = []
            values.reserveCapacity(Self.chunk)
            var expected = position.next
            try snapshot.forEach(in: store.schema.log, from: Schema.key(expected)) { (key, value) throws(JournalError) in
                guard Schema.position(key) == expected else { throw store.damaged(expected, "the event is missing") }
                expected = expected.next
                values.append(value)
                return values.count < Self.chunk
            }
            return values
        }
    }

    /// Hashes and decodes one chunk while the one before it is folded.
    private func work(
        on values: [[UInt8]], after chain: ChainHash, from position: Position, folding records: [Record],
        into fold: borrowing Mutex<LogState>
    ) throws(JournalError) -> [Record] {
        let share = (values.count + Self.lanes - 1) / Self.lanes
        let results = Mutex([Result<[Record], JournalError>](repeating: .success([]), count: Self.lanes + 1))
        DispatchQueue.concurrentPerform(iterations: Self.lanes + 1) { lane in
            let result: Result<[Record], JournalError> =
                if lane == 0 {
                    fold.withLock { check(records, &$0) }
                } else {
                    decode(
                        values, min((lane - 1) * share, values.count)..<min(lane * share, values.count), after: chain,
                        from: position)
                }
            results.withLock { $0[lane] = result }
        }
        var decoded: [Record] = []
        decoded.reserveCapacity(values.count)
        // The fold's chunk comes first in the log, so its damage is the first to be named.
        for result in results.withLock({ $0 }) { decoded += try result.get() }
        return decoded
    }

    private func check(_ records: [Record], _ fold: inout LogState) -> Result<[Record], JournalError> {
        for record in records {
            do throws(JournalError) { try check(record, &fold) } catch { return .failure(error) }
        }
        return .success([])
    }

    private func decode(
        _ values: [[UInt8]], _ range: Range<Int>, after chain: ChainHash, from position: Position
    ) -> Result<[Record], JournalError> {
        var records: [Record] = []
        records.reserveCapacity(range.count)
        var previous = range.lowerBound == 0 ? chain : ChainHash(values[range.lowerBound - 1])
        for index in range {
            do throws(JournalError) {
                let (envelope, payload, naming) = try store.open(
                    values[index], at: Position(position.number + UInt64(index) + 1), after: previous)
                records.append(Record(envelope: envelope, payload: payload, naming: naming))
            } catch {
                return .failure(error)
            }
            previous = ChainHash(values[index])
        }
        return .success(records)
    }

    /// One step of the fold, and of the shard's links.
    private func check(_ record: Record, _ fold: inout LogState) throws(JournalError) {
        let (envelope, position) = (record.envelope, record.envelope.position)
        if envelope.shard > 0 {
            do throws(Refusal) {
                if let known = fold[envelope.shard] {
                    guard envelope.revision == known.checkpoint.revision.next, envelope.previous == known.checkpoint.position
                    else { throw link(known.checkpoint, envelope, record.payload) }
                    try fold.apply(record.payload, to: envelope.shard, position: position, time: envelope.time)
                } else {
                    guard let name = record.naming, Int(envelope.shard) == fold.shards.count + 1, envelope.revision == Revision(1)
                    else { throw Refusal(shard: record.naming ?? ShardKey(table: TableName("?"), stream: StreamARN("?"), shard: ShardID("number \(envelope.shard)")), revision: .none, attempted: envelope.revision, kind: record.payload.kind, rule: "a shard's first event names it") }
                    fold.add(try .beginning(name, with: record.payload, position: position, time: envelope.time))
                }
            } catch {
                throw store.damaged(position, "the event can't follow: \(error)")
            }
        } else if let table = envelope.table {
            var state = fold.tables[table] ?? TableState(table: table)
            state.apply(record.payload, position: position, time: envelope.time)
            fold.tables[table] = state
        }
    }

    private func link(_ checkpoint: Checkpoint, _ envelope: WireFormat.Envelope, _ payload: Payload) -> Refusal {
        Refusal(
            shard: checkpoint.shard, revision: checkpoint.revision, attempted: envelope.revision, kind: payload.kind,
            rule: "its link leads to position \(envelope.previous), and the shard's event before it is at \(checkpoint.position)")
    }

    /// What is kept beside the log must be its fold, and the index must lead to the events that it names.
    private func compare(_ fold: LogState, _ snapshot: borrowing ReadTransaction) throws(JournalError) {
        let kept = try store.state(snapshot)
        guard kept.shards.count == fold.shards.count else {
            throw store.damaged(nil, "the log knows \(fold.shards.count) shards, and \(kept.shards.count) are kept beside it")
        }
        for (kept, folded) in zip(kept.shards, fold.shards) where kept.checkpoint != folded.checkpoint {
            throw store.damaged(
                folded.checkpoint.position, "what is kept of shard \(folded.key) is not the fold of its events")
        }
        for (name, folded) in fold.tables where kept.tables[name] != folded {
            throw store.damaged(folded.position, "what is kept of table \(name) is not the fold of its events")
        }
        guard kept.tables.count == fold.tables.count else { throw store.damaged(nil, "a table is kept that the log doesn't know") }
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
        let expected = fold.shards.reduce(UInt64(0)) {
            $0 + ($1.checkpoint.revision.number + Schema.indexInterval - 1) / Schema.indexInterval
        }
        guard entries == expected else { throw store.damaged(nil, "the history index has \(entries) entries, not \(expected)") }
    }
}
