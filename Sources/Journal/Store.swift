internal import Glibc
internal import LMDB
internal import StreamModel

/// Journal words over LMDB: reads and writes values by the schema, and never trusts one.
struct Store: Sendable {
    let environment: Environment
    let schema: Schema
    let path: String

    // MARK: - Reading

    func read<R>(_ body: (borrowing ReadTransaction) throws(JournalError) -> R) throws(JournalError) -> R {
        do throws(JournalError) { return try environment.read(body) } catch { throw translated(error) }
    }

    /// LMDB's own words for damage, in the journal's.
    func translated(_ error: JournalError) -> JournalError {
        guard case .storage(let storage) = error else { return error }
        // Only a page that can't be read makes a read transaction bad; LMDB looks for a table's root without telling what it met
        // there (mdb.c, `mdb_cursor_init`).
        if storage.isCorrupted || storage.isForeign || storage.isBadTransaction {
            return damaged(nil, "a page can't be read (\(storage))")
        }
        if storage.isPanic { return .closed(path: path) }
        // Another process has made the map larger than this one has room for.
        if storage.isOutOfMemory { return .mapFull(path: path, bytes: environment.mapSize) }
        return error
    }

    /// Checks that the pages of the file don't contradict each other. O(shards) and the log's branches where there are many
    /// events; the log's leaves too where there are few, or where `readsAll`.
    func checkPages(readsAll: Bool) throws(JournalError) {
        for _ in 1...Self.mostLooks {
            let outcome = try read { (snapshot) throws(JournalError) in
                do throws(LMDBError) {
                    return try PageCensus.take(
                        path + "/data.mdb", transaction: snapshot.id, sparing: Schema.logName,
                        above: readsAll ? .max : Self.leavesReadAtOpen)
                } catch {
                    throw .storage(error)
                }
            }
            switch outcome {
            case .whole: return
            case .damaged(let problem): throw damaged(nil, problem)
            case .overtaken: continue
            }
        }
        throw .storage(LMDBError(code: EBUSY, call: "\(path)/data.mdb"))
    }

    /// 64 MiB of the log.
    private static let leavesReadAtOpen: UInt64 = 16_384
    /// How often others may commit twice between two lines of this process.
    private static let mostLooks = 1000

    func damaged(_ position: Position?, _ problem: String) -> JournalError {
        .damaged(path: path, position: position, problem: problem)
    }

    /// What is kept beside the log, each value checked against its own hash: O(shards).
    func state(_ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> LogState {
        var state = LogState()
        let names = try names(transaction)
        var next: UInt32 = 1
        try forEach(in: schema.checkpoints, transaction) { key, value throws(JournalError) in
            guard Schema.ordinal(key) == next, Int(next) <= names.count, let bytes = Sealed.open(value, under: key),
                let checkpoint = WireFormat.decodeCheckpoint(bytes, of: names[Int(next) - 1])
            else { throw damaged(nil, "the checkpoint of shard number \(next) can't be read") }
            state.add(checkpoint)
            next += 1
        }
        guard Int(next) == names.count + 1 else {
            throw damaged(nil, "\(names.count) shards have names and \(next - 1) checkpoints")
        }
        state.tables = try tables(transaction)
        if let (key, value) = try last(in: schema.log, transaction) {
            guard let position = Schema.position(key) else { throw damaged(nil, "the log's last key is no position") }
            state.last = position
            state.chain = ChainHash(value)
        }
        return state
    }

    func lastPosition(_ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> Position {
        guard let (key, _) = try last(in: schema.log, transaction) else { return .origin }
        guard let position = Schema.position(key) else { throw damaged(nil, "the log's last key is no position") }
        return position
    }

    /// The names of all shards, by ordinal - 1.
    func names(_ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> [ShardKey] {
        var names: [ShardKey] = []
        // The count stands in a page that may be damaged.
        names.reserveCapacity(min(try count(of: schema.shards, transaction), 1 << 20))
        try forEach(in: schema.shards, transaction) { key, value throws(JournalError) in
            guard Schema.ordinal(key) == UInt32(names.count + 1), let bytes = Sealed.open(value, under: key),
                let shard = WireFormat.decodeShard(bytes)
            else { throw damaged(nil, "the name of shard number \(names.count + 1) can't be read") }
            names.append(shard)
        }
        return names
    }

    /// What is kept of one shard.
    func checkpoint(
        of shard: ShardKey, ordinal: UInt32, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> Checkpoint {
        let key = Schema.key(shard: ordinal)
        guard let value = try value(for: key, in: schema.checkpoints, transaction),
            let bytes = Sealed.open(value, under: key), let checkpoint = WireFormat.decodeCheckpoint(bytes, of: shard)
        else { throw damaged(nil, "the checkpoint of shard number \(ordinal) can't be read") }
        return checkpoint
    }

    /// What is kept of every table.
    func tables(_ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> [TableName: TableState] {
        var tables: [TableName: TableState] = [:]
        try forEach(in: schema.tables, transaction) { key, value throws(JournalError) in
            let name = TableName(String(decoding: key, as: UTF8.self))
            guard let bytes = Sealed.open(value, under: key), let table = WireFormat.decodeTable(bytes, name) else {
                throw damaged(nil, "the state of table \(name) can't be read")
            }
            tables[name] = table
        }
        return tables
    }

    func lastDaemonRunPosition(_ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> Position? {
        guard let value = try value(for: Schema.lastDaemonRunKey, in: schema.meta, transaction) else { return nil }
        guard let position = Schema.position(value) else {
            throw damaged(nil, "what is kept of the last start of a daemon is no position")
        }
        return position
    }

    func lastDaemonRun(_ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> RunStarted? {
        guard let position = try lastDaemonRunPosition(transaction) else { return nil }
        guard case .runStarted(let started) = try event(at: position, names: [], transaction).event.payload else {
            throw damaged(position, "the last start of a daemon isn't one")
        }
        return started
    }

    /// One event, checked against its own hash and the one before it.
    func event(
        at position: Position, names: [ShardKey], _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> (event: Event, envelope: WireFormat.Envelope) {
        guard let value = try value(for: Schema.key(position), in: schema.log, transaction) else {
            throw damaged(position, "the event is missing")
        }
        var previous = ChainHash.zero
        if position.number > 1 {
            let before = Position(position.number - 1)
            guard let value = try self.value(for: Schema.key(before), in: schema.log, transaction) else {
                throw damaged(before, "the event is missing")
            }
            previous = ChainHash(value)
        }
        return try event(value.span, at: position, after: previous, names: names)
    }

    func event(
        _ value: Span<UInt8>, at position: Position, after previous: ChainHash, names: [ShardKey]
    ) throws(JournalError) -> (event: Event, envelope: WireFormat.Envelope) {
        let (envelope, payload, naming) = try open(value, at: position, after: previous)
        let subject: Subject
        if envelope.shard > 0 {
            guard let key = Int(envelope.shard) <= names.count ? names[Int(envelope.shard) - 1] : naming else {
                throw damaged(position, "it is about shard number \(envelope.shard), which has no name")
            }
            subject = .shard(key)
        } else if let table = envelope.table {
            subject = .table(table)
        } else {
            subject = .run
        }
        let event = Event(
            position: position, time: envelope.time, run: envelope.run, subject: subject,
            revision: envelope.shard > 0 ? envelope.revision : nil, payload: payload)
        return (event, envelope)
    }

    /// Checks a value of the log against the chain and decodes it.
    func open(
        _ value: Span<UInt8>, at position: Position, after previous: ChainHash
    ) throws(JournalError) -> (envelope: WireFormat.Envelope, payload: Payload, naming: ShardKey?) {
        try checkHash(of: value, at: position, after: previous)
        return try decode(value, at: position)
    }

    func checkHash(of value: Span<UInt8>, at position: Position, after previous: ChainHash) throws(JournalError) {
        guard value.count > ChainHash.count else { throw damaged(position, "the event is cut off") }
        guard previous.chained(with: value) == ChainHash(value) else {
            throw damaged(position, "the event doesn't match its hash, or the one before it was changed")
        }
    }

    func decode(
        _ value: Span<UInt8>, at position: Position
    ) throws(JournalError) -> (envelope: WireFormat.Envelope, payload: Payload, naming: ShardKey?) {
        guard let decoded = WireFormat.decodeEvent(value), decoded.envelope.position == position else {
            throw damaged(position, "the event can't be decoded")
        }
        return decoded
    }

    // MARK: - LMDB in the journal's error

    func put(_ body: (Schema) throws(LMDBError) -> Void) throws(JournalError) {
        do throws(LMDBError) { try body(schema) } catch { throw .storage(error) }
    }

    func value(
        for key: [UInt8], in table: Table, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> [UInt8]? {
        do throws(LMDBError) { return try transaction.value(for: key, in: table) } catch { throw .storage(error) }
    }

    func last(
        in table: Table, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> (key: [UInt8], value: [UInt8])? {
        do throws(LMDBError) { return try transaction.last(in: table) } catch { throw .storage(error) }
    }

    func floor(
        of key: [UInt8], in table: Table, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> (key: [UInt8], value: [UInt8])? {
        do throws(LMDBError) { return try transaction.floor(of: key, in: table) } catch { throw .storage(error) }
    }

    func count(of table: Table, _ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> Int {
        do throws(LMDBError) { return try transaction.count(of: table) } catch { throw .storage(error) }
    }

    private func forEach(
        in table: Table, _ transaction: borrowing some Snapshot & ~Copyable,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(JournalError) -> Void
    ) throws(JournalError) {
        try transaction.forEach(in: table, from: nil) { (key, value) throws(JournalError) in
            try body([UInt8](key), [UInt8](value))
            return true
        }
    }
}
