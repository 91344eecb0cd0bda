internal import FoundationEssentials
internal import GRDB
package import StreamModel

/// `sqlite:PATH`: one SQL table for each source table, and the applied positions in the transaction of the data.
///
/// One connection writes, in WAL mode with `synchronous=FULL`: a `write` is one transaction and one fsync, whatever it
/// carries. Readers of the file are not held up, nor do they hold it up.
package actor SQLiteTarget: Target {
    package nonisolated let name: String
    package nonisolated let storesPositions = true

    let path: TargetPath
    let existing: ExistingPolicy
    package nonisolated var fillsOn: Bool { existing == .append }
    package nonisolated var localPath: String? { path.text }
    private let executor = BlockingExecutor(label: "shake.sqlite")
    private(set) var database: DatabaseQueue?
    private var identity: FileIdentity?
    private var tables = PreparedTables()

    /// How long another process may hold the write lock before a write counts as failed, in seconds.
    private let busyTimeout: Double

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    init(path: TargetPath, existing: ExistingPolicy = .refuse, busyTimeout: Double = 5) {
        self.path = path
        self.existing = existing
        self.busyTimeout = busyTimeout
        name = "sqlite:\(path)"
    }

    // MARK: Opening

    /// Its positions, or their absence, say what it lacks of any journal.
    package nonisolated func takesOver(from earlier: String) -> Bool { true }

    /// Tokens are of no use here: the database's own positions say how far it holds each shard.
    package func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {
        do {
            try path.createIfMissing()
        } catch {
            throw TargetError(error, target: name)
        }
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeout)
        configuration.label = "shake.sqlite"
        // Else GRDB ends the process where a ROLLBACK itself fails; `access` tries it again instead.
        configuration.allowsUnsafeTransactions = true
        // Settings are set below and not here, since GRDB's own WAL mode would lower `synchronous` to NORMAL.
        do {
            database = try DatabaseQueue(path: path.text, configuration: configuration)
        } catch {
            throw translated(error, during: "opening")
        }
        identity = FileIdentity.at(path.text)
        let mode = try access("opening") { database in
            for setting in Self.settings { try database.execute(sql: "PRAGMA \(setting)") }
            let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
            try database.inTransaction(.immediate) {
                try database.execute(sql: SQLiteSchema.createPositions)
                try database.execute(sql: SQLiteSchema.createScanPositions)
                return .commit
            }
            return mode
        }
        guard mode == "wal" else {
            throw .misconfigured(
                target: name,
                reason: "SQLite can't keep a write-ahead log here (it said \(mode ?? "nothing")): put the database on a"
                    + " local file system")
        }
        for (table, columns) in [
            ("_shake_positions", SQLiteSchema.positions), ("_shake_scan_positions", SQLiteSchema.scanPositions),
        ] {
            guard let difference = try access("opening", { try Self.difference(of: table, columns, $0) }) else {
                continue
            }
            throw .misconfigured(
                target: name,
                reason: "the table \(table) was not made by this version of Shake (\(difference)): name another"
                    + " file, or drop that table and begin with a new journal")
        }
    }

    /// Measured in docs/TARGETS.md. The page size counts only where the database is empty.
    private static let settings = [
        "page_size = 8192",
        "synchronous = FULL",
        "cache_size = -12288",
        "wal_autocheckpoint = 2000",
        // A log that a long reader made grow is cut to this many bytes once it could be checkpointed.
        "journal_size_limit = 67108864",
    ]

    // MARK: Tables

    package func hasPlace(for table: TableName) async throws(TargetError) -> Bool {
        try access("looking for the table \(table)") { try Self.exists(table, $0) }
    }

    static func exists(_ table: TableName, _ database: Database) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?)",
            arguments: [table.text]) ?? false
    }

    package func prepare(_ table: TableSchema) async throws(TargetError) {
        if let refusal = Self.refusal(of: table.name) { throw .misconfigured(target: name, reason: refusal) }
        let misfit = try access("preparing the table \(table.name)") { database -> String? in
            var misfit: String?
            try database.inTransaction(.immediate) {
                misfit = try Self.misfit(of: table, database)
                if misfit == nil { try database.execute(sql: SQLiteSchema.create(table)) }
                return misfit == nil ? .commit : .rollback
            }
            return misfit
        }
        if let misfit { throw .misconfigured(target: name, reason: misfit) }
        tables.add(table)
    }

    /// Why no SQL table can have the name, and what to do; `nil` if one can.
    static func refusal(of table: TableName) -> String? {
        SQLiteSchema.refusal(of: table).map {
            "the table \(table) can't be kept here: \($0); leave it out, or choose another target"
        }
    }

    /// Why a table's items can't be kept in what has its name, and what to do; `nil` where they can, or where nothing has it.
    static func misfit(of table: TableSchema, _ database: Database) throws -> String? {
        var problem = try occupant(of: table.name, database)
        if problem == nil, try exists(table.name, database) {
            problem = try difference(of: table.name.text, SQLiteSchema.columns(of: table), database)
                .map { "it has another shape than the source table's key asks for: \($0)" }
        }
        return problem.map {
            "the SQL table \(table.name) is not what Shake would make: \($0). Rename or drop it, or name another file"
        }
    }

    /// What already has the table's name and can't be used; `nil` if nothing has.
    private static func occupant(of table: TableName, _ database: Database) throws -> String? {
        let sql = "SELECT type, name FROM sqlite_master WHERE name = ? COLLATE NOCASE"
        for row in try Row.fetchAll(database, sql: sql, arguments: [table.text]) {
            let (type, name): (String, String) = (row["type"], row["name"])
            if type != "table" { return "there is a \(type) of that name" }
            if name != table.text {
                return "there is a table \(name), and SQLite holds names equal that differ in case only"
            }
        }
        return nil
    }

    /// How an SQL table differs from `expected`; `nil` if it doesn't. Generated columns, indexes and triggers that
    /// somebody added are theirs to add.
    private static func difference(
        of table: String, _ expected: [SQLiteSchema.Column], _ database: Database
    ) throws -> String? {
        let rows = try Row.fetchAll(
            database, sql: "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?)", arguments: [table])
        let found = rows.map {
            SQLiteSchema.Column(name: $0["name"], type: $0["type"], isRequired: $0["notnull"], keyPlace: $0["pk"])
        }
        for column in expected where !found.contains(column) {
            guard let other = found.first(where: { $0.name == column.name }) else {
                return "there is no column \(column.name)"
            }
            return "its column \(column.name) is \(describe(other)), where \(describe(column)) is needed"
        }
        if let column = found.first(where: { !expected.contains($0) }) { return "it has a column \(column.name) too" }
        let collations = try String.fetchAll(
            database,
            sql: """
                SELECT DISTINCT part.coll FROM pragma_index_list(?) list, pragma_index_xinfo(list.name) part
                WHERE list.origin = 'pk' AND part.key = 1
                """, arguments: [table])
        if let collation = collations.first(where: { $0 != "BINARY" }) {
            return "its key compares by \(collation), where BINARY is needed"
        }
        return nil
    }

    private static func describe(_ column: SQLiteSchema.Column) -> String {
        let key = column.keyPlace == 0 ? "outside the primary key" : "number \(column.keyPlace) of the primary key"
        return "\(column.type)\(column.isRequired ? " NOT NULL" : ""), \(key)"
    }

    // MARK: Positions

    package func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] {
        let positions = try access("reading positions") { database in
            try Row.fetchAll(database, sql: SQLiteSchema.readPositions, arguments: [table.text]).map { row in
                let epoch: Int64 = row["epoch"]
                let (stream, shard, number): (String, String, String) = (
                    row["stream"], row["shard"], row["sequence_number"]
                )
                return SequenceNumber(number).map { sequenceNumber in
                    ShardPosition(
                        shard: ShardKey(table: table, stream: StreamARN(stream), shard: ShardID(shard)),
                        epoch: Epoch(UInt64(bitPattern: epoch)), sequenceNumber: sequenceNumber)
                }
            }
        }
        let readable = positions.compactMap(\.self)
        guard readable.count == positions.count else {
            throw .misconfigured(
                target: name,
                reason: "_shake_positions holds a sequence number of \(table) that is none: somebody edited it; restore"
                    + " the database from a backup")
        }
        return readable
    }

    package func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] {
        try access("reading positions") { database in
            try Row.fetchAll(database, sql: SQLiteSchema.readScanPositions, arguments: [table.text]).compactMap { row in
                let (segment, fullSync, items): (Int64, Int64, Int64) = (row["segment"], row["full_sync"], row["items"])
                return UInt32(exactly: segment).map {
                    SegmentPosition(
                        fullSync: FullSyncID(UInt64(bitPattern: fullSync)), segment: $0,
                        items: UInt64(bitPattern: items))
                }
            }
        }
    }

    // MARK: Keys

    package func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? {
        try access("listing the keys of \(table.name)") { database in
            var arguments: [any DatabaseValueConvertible] = []
            if let key { arguments = [key.hash, key.range].compactMap(\.self).map { Data($0) } }
            arguments.append(Int64(limit))
            let statement = try database.cachedStatement(sql: SQLiteSchema.keys(table, isFirst: key == nil))
            return try Row.fetchAll(statement, arguments: StatementArguments(arguments)).map { row in
                let hash: Data = row[0]
                let range: Data? = table.range == nil ? nil : row[1]
                return CanonicalKey(hash: Array(hash), range: range.map { Array($0) })
            }
        }
    }

    // MARK: Writing

    package func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] {
        let rows = try tables.rows(of: batches, target: name)
        try checkPlace()
        try access("writing") { database in
            try database.inTransaction(.immediate) {
                try apply(rows, of: batches, in: database)
                try movePositions(to: batches, in: database)
                return .commit
            }
        }
        return batches.map { _ in nil }
    }

    /// A database whose file was removed or replaced takes writes as before, and nobody ever sees them.
    private func checkPlace() throws(TargetError) {
        guard FileIdentity.at(path.text) == identity else {
            throw .misconfigured(
                target: name,
                reason: "the file was removed or replaced while it was open: put it back, then start again")
        }
    }

    /// Within a transaction order doesn't matter: each row has a key of its own.
    private func apply(_ rows: [[Collapse.Row]], of batches: [Batch], in database: Database) throws {
        var writers: [TableName: RowWriter] = [:]
        for (index, batch) in batches.enumerated() where !rows[index].isEmpty {
            let writer = try writers[batch.table.name] ?? RowWriter(batch.table, in: database)
            writers[batch.table.name] = writer
            try writer.begin(batch.shard)
            for row in rows[index] {
                do throws(DatabaseError) {
                    try writer.apply(row.change, key: row.key, in: batch.parts[row.part].body)
                } catch {
                    // Of all errors the one that is the row's own.
                    guard error.resultCode == .SQLITE_TOOBIG else { throw error }
                    throw TargetError.unwritable(
                        target: name, what: batch.describe(row.change), reason: error.message ?? "it is too big",
                        change: row.change)
                }
            }
        }
    }

    private func movePositions(to batches: [Batch], in database: Database) throws {
        let ofShard = try database.cachedStatement(sql: SQLiteSchema.movePosition)
        let ofSegment = try database.cachedStatement(sql: SQLiteSchema.moveScanPosition)
        for batch in batches {
            switch batch.origin {
            case .shard(let shard, let epoch, let upTo):
                try ofShard.execute(arguments: [
                    shard.table.text, shard.stream.text, shard.shard.text, Int64(bitPattern: epoch.number), upTo.text,
                ])
            case .scan(let position):
                try ofSegment.execute(arguments: [
                    batch.table.name.text, Int64(position.segment), Int64(bitPattern: position.fullSync.number),
                    Int64(bitPattern: position.items),
                ])
            case .sweep, .repair: break
            }
        }
    }

    package func close() async {
        // A connection that can't be closed now is closed when the last statement goes; nothing is lost either way.
        try? database?.close()
        database = nil
        tables = PreparedTables()
    }

    // MARK: Access

    /// Runs `body` on this actor's thread, with SQLite's errors translated.
    func access<R>(_ operation: String, _ body: (Database) throws -> R) throws(TargetError) -> R {
        guard let database else {
            throw .unavailable(target: name, reason: "\(operation): it isn't open")
        }
        do {
            return try database.inDatabase { database in
                if database.isInsideTransaction { try database.rollback() }
                return try body(database)
            }
        } catch {
            throw translated(error, during: operation)
        }
    }

    nonisolated func translated(_ error: any Error, during operation: String) -> TargetError {
        switch error {
        case let error as TargetError: error
        case let error as DatabaseError: TargetError(error, target: name, during: operation)
        default: .unavailable(target: name, reason: "\(operation): \(error)")
        }
    }
}
