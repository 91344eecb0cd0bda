internal import Glibc
internal import LMDB
internal import StreamModel

/// Journal words over LMDB: reads and writes values by the schema, and never trusts one.
struct Store: Sendable {
    let environment: Environment
    let schema: Schema
    let path: String
    /// Which shard has which ordinal, as far as anybody has asked.
    let names = NameIndex()
    /// Shards that are not over, as the writer of this process knows them.
    let openShards = OpenShards()

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
    ///
    /// - Parameter places: is given where each shard stands, in the order of discovery.
    func state(
        _ transaction: borrowing some Snapshot & ~Copyable, _ places: inout [Place]
    ) throws(JournalError) -> LogState {
        var state = LogState()
        places.removeAll()
        let names = try allNames(transaction)
        let ordinals = Dictionary(
            zip(names, UInt32(1)...), uniquingKeysWith: { first, _ in first })
        try forEachCheckpoint(names, transaction) { ordinal, checkpoint in
            state.add(checkpoint, parent: checkpoint.parentKey.flatMap { ordinals[$0] })
            // Of what is over nobody may ever speak again.
            state.release(ordinal)
            places.append(Place(position: checkpoint.position, revision: checkpoint.revision))
        }
        state.tables = try tables(transaction)
        if let (key, value) = try last(in: schema.log, transaction) {
            guard let position = Schema.position(key) else { throw damaged(nil, "the log's last key is no position") }
            state.last = position
            state.chain = ChainHash(value)
        }
        return state
    }

    func state(_ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> LogState {
        var places: [Place] = []
        return try state(transaction, &places)
    }

    /// Where a shard stands.
    struct Place {
        let position: Position
        let revision: Revision
    }

    /// Every checkpoint, in the order of discovery.
    func checkpoints(_ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> [Checkpoint] {
        let names = try allNames(transaction)
        var checkpoints: [Checkpoint] = []
        checkpoints.reserveCapacity(names.count)
        try forEachCheckpoint(names, transaction) { checkpoints.append($1) }
        return checkpoints
    }

    /// The same, one after the other, each with its name.
    func forEachCheckpoint(
        _ transaction: borrowing some Snapshot & ~Copyable, _ body: (Checkpoint) -> Void
    ) throws(JournalError) {
        var next: UInt32 = 1
        try forEach(in: schema.checkpoints, transaction) { key, value throws(JournalError) in
            let name = try name(of: next, transaction)
            guard Schema.ordinal(key) == next, let bytes = Sealed.open(value, under: key),
                let checkpoint = WireFormat.decodeCheckpoint(bytes, of: name)
            else { throw damaged(nil, "the checkpoint of shard number \(next) can't be read") }
            body(checkpoint)
            next += 1
        }
    }

    private func forEachCheckpoint(
        _ names: [ShardKey], _ transaction: borrowing some Snapshot & ~Copyable,
        _ body: (_ ordinal: UInt32, _ checkpoint: Checkpoint) -> Void
    ) throws(JournalError) {
        var next: UInt32 = 1
        try forEach(in: schema.checkpoints, transaction) { key, value throws(JournalError) in
            guard Schema.ordinal(key) == next, Int(next) <= names.count, let bytes = Sealed.open(value, under: key),
                let checkpoint = WireFormat.decodeCheckpoint(bytes, of: names[Int(next) - 1])
            else { throw damaged(nil, "the checkpoint of shard number \(next) can't be read") }
            body(next, checkpoint)
            next += 1
        }
        guard Int(next) == names.count + 1 else {
            throw damaged(nil, "\(names.count) shards have names and \(next - 1) checkpoints")
        }
    }

    func lastPosition(_ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> Position {
        guard let (key, _) = try last(in: schema.log, transaction) else { return .origin }
        guard let position = Schema.position(key) else { throw damaged(nil, "the log's last key is no position") }
        return position
    }

    /// The names of all shards, by ordinal - 1.
    func allNames(_ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> [ShardKey] {
        var names: [ShardKey] = []
        // The count stands in a page that may be damaged.
        names.reserveCapacity(min(try count(of: schema.shards, transaction), 1 << 20))
        try forEach(in: schema.shards, transaction) { key, value throws(JournalError) in
            guard Schema.ordinal(key) == UInt32(names.count + 1), let bytes = Sealed.open(value, under: key),
                let shard = WireFormat.decodeShard(bytes)
            else { throw damaged(nil, "the name of shard number \(names.count + 1) can't be read") }
            // One text for all shards of a stream: a journal may know thousands.
            if let known = names.last, known.stream == shard.stream, known.table == shard.table {
                names.append(ShardKey(table: known.table, stream: known.stream, shard: shard.shard))
            } else {
                names.append(shard)
            }
        }
        return names
    }

    /// What a shard's ordinal stands for.
    func name(
        of ordinal: UInt32, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> ShardKey {
        let key = Schema.key(shard: ordinal)
        guard let value = try value(for: key, in: schema.shards, transaction),
            let bytes = Sealed.open(value, under: key), let shard = WireFormat.decodeShard(bytes)
        else { throw damaged(nil, "the name of shard number \(ordinal) can't be read") }
        return shard
    }

    /// A shard's ordinal; `nil` where the log doesn't know it.
    func ordinal(
        of shard: ShardKey, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> UInt32? {
        try names.ordinal(of: shard, self, transaction)
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
        guard case .runStarted(let started) = try event(at: position, transaction).event.payload else {
            throw damaged(position, "the last start of a daemon isn't one")
        }
        return started
    }

    /// One event, checked against its own hash and the one before it.
    ///
    /// - Parameters:
    ///   - ordinal: the shard that it is about; needed where events were folded, what is left of which stands for all of that
    ///     shard's in the stretch.
    ///   - names: what ordinals stand for, as far as it was asked for.
    func event(
        at position: Position, of ordinal: UInt32 = 0, _ names: inout [UInt32: ShardKey],
        _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> (event: Event, envelope: WireFormat.Envelope) {
        guard let (key, value) = try entry(holding: position, transaction) else {
            throw damaged(position, "the event is missing")
        }
        switch try open(value.span, at: key, after: try chain(before: key, transaction)) {
        case .event(let envelope, let payload, _):
            guard key == position else { throw damaged(position, "the event is missing") }
            return (try event(envelope, payload, &names, transaction), envelope)
        case .folded(let stretch):
            guard let run = stretch.runs.first(where: { $0.holds(position, of: ordinal) }) else {
                throw damaged(position, "no event of shard number \(ordinal) was folded there")
            }
            return (try event(run, of: stretch, &names, transaction), stretch.envelope(of: run))
        }
    }

    func event(
        at position: Position, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> (event: Event, envelope: WireFormat.Envelope) {
        var names: [UInt32: ShardKey] = [:]
        return try event(at: position, &names, transaction)
    }

    /// The events of an entry as they are shown, in the order of their positions.
    func events(
        _ entry: LogEntry, _ names: inout [UInt32: ShardKey], _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> [Event] {
        switch entry {
        case .event(let envelope, let payload, _): return [try event(envelope, payload, &names, transaction)]
        case .folded(let stretch):
            var events: [Event] = []
            for run in stretch.runs.sorted(by: { $0.last < $1.last }) {
                events.append(try event(run, of: stretch, &names, transaction))
            }
            return events
        }
    }

    private func event(
        _ envelope: WireFormat.Envelope, _ payload: Payload, _ names: inout [UInt32: ShardKey],
        _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> Event {
        Event(
            position: envelope.position, time: envelope.time, run: envelope.run,
            subject: try subject(of: envelope, &names, transaction),
            revision: envelope.shard > 0 ? envelope.revision : nil, payload: payload)
    }

    private func event(
        _ run: FoldedStretch.Run, of stretch: FoldedStretch, _ names: inout [UInt32: ShardKey],
        _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> Event {
        try event(stretch.envelope(of: run), run.payload, &names, transaction)
    }

    private func subject(
        of envelope: WireFormat.Envelope, _ names: inout [UInt32: ShardKey],
        _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> Subject {
        guard envelope.shard > 0 else { return envelope.table.map { .table($0) } ?? .run }
        if let known = names[envelope.shard] { return .shard(known) }
        guard Int(envelope.shard) <= (try count(of: schema.shards, transaction)) else {
            throw damaged(envelope.position, "it is about shard number \(envelope.shard), which has no name")
        }
        let name = try name(of: envelope.shard, transaction)
        names[envelope.shard] = name
        return .shard(name)
    }

    /// What the events after `position` are about.
    func subjects(
        after position: Position, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> Set<Subject> {
        var subjects: Set<Subject> = []
        var names: [UInt32: ShardKey] = [:]
        var first = position.next
        if let (key, _) = try entry(holding: first, transaction), try isFolded(first, transaction) { first = key }
        try transaction.forEach(in: schema.log, from: Schema.key(first)) { (key, value) throws(JournalError) in
            guard let entry = WireFormat.decodeEntry(value) else {
                throw damaged(Schema.position(key), "the event can't be decoded")
            }
            switch entry {
            case .event(let envelope, _, _): subjects.insert(try subject(of: envelope, &names, transaction))
            case .folded(let stretch):
                for run in stretch.runs where run.last > position {
                    subjects.insert(try subject(of: stretch.envelope(of: run), &names, transaction))
                }
            }
            return true
        }
        subjects.remove(.run)
        return subjects
    }

    /// The shard's first entry in the index from `revision` on.
    func indexed(
        from revision: Revision, of ordinal: UInt32, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> (revision: Revision, position: Position)? {
        var found: (revision: Revision, position: Position)?
        try transaction.forEach(in: schema.index, from: Schema.key(shard: ordinal, revision)) {
            (key, value) throws(JournalError) in
            guard Schema.ordinal(key) == ordinal else { return false }
            guard let revision = Schema.revision(key), let position = Schema.position(value) else {
                throw damaged(nil, "an entry of the history index can't be read")
            }
            found = (revision, position)
            return false
        }
        return found
    }

    /// The entry that lies under `position`, or under the nearest one before it, which then may have been folded with it.
    func entry(
        holding position: Position, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> (key: Position, value: [UInt8])? {
        if let value = try value(for: Schema.key(position), in: schema.log, transaction) { return (position, value) }
        guard let (key, value) = try floor(of: Schema.key(position), in: schema.log, transaction),
            let found = Schema.position(key)
        else { return nil }
        return (found, value)
    }

    /// Whether the event at `position` is gone, folded together with others.
    func isFolded(_ position: Position, _ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> Bool
    {
        guard let (key, value) = try entry(holding: position, transaction),
            case .folded(let stretch)? = WireFormat.decodeEntry(value.span)
        else { return false }
        return stretch.first == key && position <= stretch.last
    }

    /// The chain's value before `key`, under which an entry lies.
    func chain(
        before key: Position, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> ChainHash {
        guard key.number > 1 else { return .zero }
        let before = Position(key.number - 1)
        guard let (found, value) = try entry(holding: before, transaction) else {
            throw damaged(before, "the event is missing")
        }
        if found != before {
            guard try isFolded(before, transaction) else { throw damaged(before, "the event is missing") }
        }
        return ChainHash(value)
    }

    /// Whether the log ends so: then nobody has appended to it.
    func endsAt(
        _ position: Position, _ chain: ChainHash, _ transaction: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> Bool {
        guard let (key, value) = try last(in: schema.log, transaction) else { return position == .origin }
        return Schema.position(key) == position && ChainHash(value) == chain
    }

    func compacted(_ transaction: borrowing some Snapshot & ~Copyable) throws(JournalError) -> Compacted {
        guard let value = try value(for: Compacted.key, in: schema.meta, transaction) else { return Compacted() }
        guard let compacted = Compacted(value) else { throw damaged(nil, "how far it was compacted can't be read") }
        return compacted
    }

    /// Checks a value of the log against the chain and decodes it.
    func open(
        _ value: Span<UInt8>, at position: Position, after previous: ChainHash
    ) throws(JournalError) -> LogEntry {
        if let stretch = try checkedStretch(value, at: position, after: previous) { return .folded(stretch) }
        return try decode(value, at: position)
    }

    /// Checks that `value` follows in the chain.
    ///
    /// - Returns: the last position that it stands for.
    func check(_ value: Span<UInt8>, at position: Position, after previous: ChainHash) throws(JournalError) -> Position
    {
        try checkedStretch(value, at: position, after: previous)?.last ?? position
    }

    /// - Returns: `nil` for an event, which follows in the chain.
    private func checkedStretch(
        _ value: Span<UInt8>, at position: Position, after previous: ChainHash
    ) throws(JournalError) -> FoldedStretch? {
        guard value.count > ChainHash.count else { throw damaged(position, "the event is cut off") }
        if previous.chained(with: value) == ChainHash(value) { return nil }
        // No event, then: but some may have been folded there, which have a hash of their own.
        guard WireFormat.isWhole(value), case .folded(let stretch)? = WireFormat.decodeEntry(value),
            stretch.first == position, stretch.before == previous
        else {
            throw damaged(position, "the event doesn't match its hash, or the one before it was changed")
        }
        return stretch
    }

    func decode(_ value: Span<UInt8>, at position: Position) throws(JournalError) -> LogEntry {
        switch WireFormat.decodeEntry(value) {
        case .event(let envelope, let payload, let naming)? where envelope.position == position:
            return .event(envelope, payload, naming: naming)
        case .folded(let stretch)? where stretch.first == position: return .folded(stretch)
        case .event?, .folded?, nil: throw damaged(position, "the event can't be decoded")
        }
    }

    // MARK: - Writing

    /// Makes the map larger after a transaction that found it full.
    func growMap() throws(JournalError) {
        let size = environment.mapSize
        let (doubled, overflows) = size.multipliedReportingOverflow(by: 2)
        guard !overflows, doubled <= 1 << 46 else { throw .mapFull(path: path, bytes: size) }
        do throws(LMDBError) { try environment.grow(to: doubled) } catch {
            throw .mapFull(path: path, bytes: size)
        }
    }

    /// What kept a transaction from being written, in the journal's words.
    func commitError(_ error: JournalError) -> JournalError {
        guard case .storage(let storage) = error, !storage.isMapFull else { return error }
        if storage.isCorrupted || storage.isForeign { return translated(error) }
        switch storage.code {
        case EINVAL:
            // What is written here is LMDB's own; only a page that lies leads it to a place that no file has.
            return damaged(nil, "a page can't be written where another says that it belongs (\(storage))")
        case EIO, ENOSPC, EDQUOT, EFBIG:
            return .disk(path: path, reason: "\(storage) (a full disk shows like this too)")
        case EROFS, EACCES, EPERM:
            return .readOnly(path: path, reason: "\(storage)")
        default: return error
        }
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

    /// Of the bytes of the file that were ever in use.
    func freeBytes(_ snapshot: borrowing ReadTransaction) throws(JournalError) -> Int {
        do throws(LMDBError) { return try snapshot.freePages() &* environment.pageSize } catch { throw .storage(error) }
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
