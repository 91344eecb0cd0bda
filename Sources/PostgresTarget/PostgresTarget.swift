internal import LibPQ
package import StreamModel
package import Targets

/// `postgres://…`: one table for each source table, the items as jsonb, and the applied positions in the transaction of the data.
///
/// A write is one pipeline: every statement is sent at once, and the server is waited for once. All of it is one transaction.
package actor PostgresTarget: Target {
    package nonisolated let name: String
    package nonisolated let storesPositions = true

    let settings: ConnectionSettings
    let schema: PostgresSchema
    let names: TableNames
    let columns: Columns
    let existing: ExistingPolicy
    package nonisolated var fillsOn: Bool { existing == .append }
    private let executor = BlockingExecutor(label: "shake.postgres")
    private let patience: Duration
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private var session: Session?
    /// Of this writer; `nil` where it is open beside a daemon, and writes unfenced.
    private var generation: WriterGeneration?
    private var isOpen = false
    var tables = PreparedTables()

    init(
        settings: ConnectionSettings, schema: String, names: TableNames, columns: Columns, existing: ExistingPolicy,
        patience: Duration = .seconds(60)
    ) {
        self.settings = settings
        self.schema = PostgresSchema(schema: schema)
        self.names = names
        self.columns = columns
        self.existing = existing
        self.patience = patience
        name = Self.name(of: settings, schema)
    }

    /// Without a password.
    private static func name(of settings: ConnectionSettings, _ schema: String) -> String {
        let user = settings.user.isEmpty ? "" : "\(settings.user)@"
        let host = settings.host.isEmpty ? "" : "\(settings.host):\(settings.port)"
        return "postgres://\(user)\(host)/\(settings.database)" + (schema == "public" ? "" : " schema \(schema)")
    }

    // MARK: Opening

    /// Its positions, or their absence, say what it lacks of any journal.
    package nonisolated func takesOver(from earlier: String) -> Bool { true }

    package func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {
        try connect()
        try access("opening") { session throws(PostgresError) in
            try session.connection.script(schema.createOwn)
        }
        let generation = WriterGeneration()
        try access("opening") { session throws(PostgresError) in
            _ = try session.connection.execute(schema.takeOver, [.text("\(generation.number)")])
        }
        self.generation = generation
        isOpen = true
    }

    /// Takes nothing over: a daemon goes on writing.
    package func openBeside() async throws(TargetError) {
        try connect()
        isOpen = true
    }

    private func connect() throws(TargetError) {
        session = nil
        do throws(PostgresError) { session = try newSession() } catch {
            throw TargetError(error, target: name, during: "connecting")
        }
    }

    private func newSession() throws(PostgresError) -> Session {
        let connection = try Connection(settings, patience: patience)
        // "Durable" is what a write promises when it returns.
        _ = try connection.execute(
            """
            SELECT set_config('synchronous_commit', 'on', false), set_config('TimeZone', 'UTC', false)
            WHERE current_setting('synchronous_commit') = 'off' OR current_setting('TimeZone') <> 'UTC'
            """)
        return Session(connection)
    }

    // MARK: Tables

    package func hasPlace(for table: TableName) async throws(TargetError) -> Bool {
        try access("looking for the table \(table)") { session throws(PostgresError) in
            try kind(of: table, session) != nil
        }
    }

    /// What has the table's name: `r` is a table, `p` a partitioned one; `nil` for nothing.
    private func kind(of table: TableName, _ session: Session) throws(PostgresError) -> String? {
        let rows = try session.connection.execute(
            PostgresSchema.kind, [.text(schema.schema), .text(names[table])])
        return rows.count == 0 ? nil : rows.text(0, 0)
    }

    package func prepare(_ table: TableSchema) async throws(TargetError) {
        let place = names[table.name]
        if let refusal = refusal(of: table.name) ?? tables.claim(place, for: table.name) {
            throw .misconfigured(target: name, reason: refusal)
        }
        let misfit = try access("preparing the table \(place)") { session throws(PostgresError) -> String? in
            if let misfit = try self.misfit(of: table, session) { return misfit }
            if try kind(of: table.name, session) == nil {
                try session.connection.script(schema.create(table, as: place))
            }
            for column in columns[table.name.text] {
                try session.connection.script(schema.add(column, to: place))
            }
            return nil
        }
        if let misfit { throw .misconfigured(target: name, reason: misfit) }
        tables.add(table)
    }

    /// Why no table can have the name, and what to do; `nil` if one can.
    func refusal(of table: TableName) -> String? {
        let place = names[table]
        if place.hasPrefix("_shake_") {
            return
                "the table \(table) can't be kept here: names that begin with _shake_ are kept for what Shake remembers; name "
                + "another as target.tables.\(table)"
        }
        // NAMEDATALEN: a longer name would be cut, and two tables could become one.
        if place.utf8.count > 63 {
            return "the table \(table) can't be kept here: PostgreSQL cuts names after 63 bytes; name a shorter one as "
                + "target.tables.\(table)"
        }
        return nil
    }

    /// Why a table's items can't be kept in what has its name, and what to do; `nil` where they can, or where nothing has it.
    func misfit(of table: TableSchema, _ session: Session) throws(PostgresError) -> String? {
        guard let kind = try kind(of: table.name, session) else { return nil }
        let problem = ["r", "p"].contains(kind) ? try difference(of: table, session) : "it is no table"
        guard let problem else { return nil }
        return
            "the table \(schema.place(names[table.name])) is not what Shake would make: \(problem). Rename or drop it, or name "
            + "another as target.tables.\(table.name)"
    }

    /// Columns that somebody added are theirs, as long as a row can be written without them.
    private func difference(
        of table: TableSchema, _ session: Session
    ) throws(PostgresError) -> String? {
        let place: [Parameter] = [.text(schema.schema), .text(names[table.name])]
        let found = try session.connection.execute(PostgresSchema.describe, place)
        let rows = (0..<found.count).map { row in
            (
                name: found.text(row, 0) ?? "", type: found.text(row, 1) ?? "", isRequired: found.text(row, 2) == "t",
                isGenerated: found.text(row, 3) == "t", collation: found.text(row, 4)
            )
        }
        for column in PostgresSchema.columns(of: table) {
            guard let other = rows.first(where: { $0.name == column.name }) else {
                return "there is no column \(column.name)"
            }
            guard other.type == column.type, other.isRequired == column.isRequired else {
                return
                    "its column \(column.name) is \(other.type)\(other.isRequired ? " NOT NULL" : ""), where \(column.type)"
                    + "\(column.isRequired ? " NOT NULL" : "") is needed"
            }
            if column.type == "text", column.name.hasSuffix("_key"), other.collation != "C" {
                return
                    "its column \(column.name) compares by \(other.collation ?? "another collation"), where \"C\" is needed"
            }
        }
        for column in columns[table.name.text] {
            guard let other = rows.first(where: { $0.name == column.attribute }) else { continue }
            guard other.isGenerated, other.type == column.kind.rawValue else {
                return
                    "its column \(column.attribute) is \(other.isGenerated ? other.type : "not made of the item"), where "
                    + "\(column.kind.rawValue) GENERATED ALWAYS is needed"
            }
        }
        let key = try session.connection.execute(PostgresSchema.key, place)
        let columns = (0..<key.count).compactMap { key.text($0, 0) }
        guard columns == PostgresSchema.keyColumns(of: table) else {
            return "its primary key is (\(columns.joined(separator: ", "))), where "
                + "(\(PostgresSchema.keyColumns(of: table).joined(separator: ", "))) is needed"
        }
        return nil
    }

    // MARK: Positions

    package func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] {
        let rows = try access("reading positions") { session throws(PostgresError) in
            try session.connection.execute(schema.readPositions, [.text(table.text)])
        }
        return (0..<rows.count).compactMap { row in
            guard let stream = rows.text(row, 0), let shard = rows.text(row, 1),
                let epoch = rows.text(row, 2).flatMap({ Int64($0) }),
                let number = rows.text(row, 3).flatMap({ SequenceNumber($0) })
            else { return nil }
            return ShardPosition(
                shard: ShardKey(table: table, stream: StreamARN(stream), shard: ShardID(shard)),
                epoch: Epoch(UInt64(bitPattern: epoch)), sequenceNumber: number)
        }
    }

    package func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] {
        let rows = try access("reading positions") { session throws(PostgresError) in
            try session.connection.execute(schema.readScanPositions, [.text(table.text)])
        }
        return (0..<rows.count).compactMap { row in
            let numbers = (0..<3).compactMap { rows.text(row, $0).flatMap { Int64($0) } }
            guard numbers.count == 3, let segment = UInt32(exactly: numbers[0]) else { return nil }
            return SegmentPosition(
                fullSync: FullSyncID(UInt64(bitPattern: numbers[1])), segment: segment,
                items: UInt64(bitPattern: numbers[2]))
        }
    }

    // MARK: Writing

    package func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] {
        let rows = try tables.rows(of: batches, target: name)
        guard !batches.isEmpty else { return [] }
        do throws(PostgresError) {
            try apply(zip(rows, batches).map { ($0, $1) }, positionsOf: batches)
        } catch {
            if case .refuseRecord = Consequence(error.sqlState) {
                throw try refused(rows, of: batches, error)
            }
            throw TargetError(error, target: name, during: "writing")
        }
        return batches.map { _ in nil }
    }

    /// Rows as their statements take them, in no order: each row has a key of its own.
    private static func pieces(of rows: [([Collapse.Row], Batch)]) -> [(table: TableSchema, rows: TableRows)] {
        var pieces: [(table: TableSchema, rows: TableRows)] = []
        // Of each table the piece that is not full.
        var open: [TableName: Int] = [:]
        for (rows, batch) in rows {
            var place = open[batch.table.name]
            for row in rows {
                let piece = place ?? pieces.count
                if piece == pieces.count { pieces.append((batch.table, TableRows(batch.table, reserving: batch.bytes))) }
                pieces[piece].rows.append(row.change, row.key, in: batch.parts[row.part].body, of: batch.origin)
                place = pieces[piece].rows.isFull ? nil : piece
            }
            open[batch.table.name] = place
        }
        return pieces
    }

    /// Rows, and the positions of batches, in one transaction.
    private func apply(
        _ rows: [([Collapse.Row], Batch)], positionsOf batches: [Batch], isTrial: Bool = false
    ) throws(PostgresError) {
        let pieces = Self.pieces(of: rows)
        try withSession { session throws(PostgresError) in
            var steps: [Connection.Step] = []
            func add(_ statement: String, _ sql: @autoclosure () -> String, _ parameters: [Parameter])
                throws(PostgresError)
            {
                steps.append(Connection.Step(try session.prepare(statement, sql()), parameters))
            }
            // A trial ends in the error that a fence ends in, and is undone whoever writes.
            if let generation, !isTrial { try add("fence", schema.fence, [.text("\(generation.number)")]) }
            for (table, rows) in pieces {
                let place = names[table.name]
                if rows.hasUpserts {
                    try add("upsert \(table.name)", schema.upsert(table, as: place), rows.upsertParameters)
                }
                if rows.hasDeletes {
                    try add("delete \(table.name)", schema.delete(table, as: place), rows.deleteParameters)
                }
            }
            let positions = Positions(batches)
            if positions.hasShards { try add("positions", schema.movePositions, positions.shardParameters) }
            if positions.hasSegments {
                try add("scan positions", schema.moveScanPositions, positions.segmentParameters)
            }
            if isTrial {
                // What the database checks only when a transaction ends, it checks now.
                try add("constraints", "SET CONSTRAINTS ALL IMMEDIATE", [])
                try add("trial", "SELECT 1 / 0", [])
            }
            guard !steps.isEmpty else { return }
            _ = try session.connection.pipeline(steps)
        }
    }

    /// Which record it was that the server refused: the last one of the smallest beginning of them that it refuses, found by
    /// halving in transactions that are undone.
    private func refused(
        _ rows: [[Collapse.Row]], of batches: [Batch], _ error: PostgresError
    ) throws(TargetError) -> TargetError {
        let all = zip(rows, batches).flatMap { rows, batch in rows.map { ($0, batch) } }
        // The server takes the first `taken` of them, and not the first `refused`.
        var (taken, refused) = (0, all.count)
        while refused - taken > 1 {
            let middle = (taken + refused) / 2
            do throws(PostgresError) {
                try apply(all[..<middle].map { ([$0.0], $0.1) }, positionsOf: [], isTrial: true)
                taken = middle
            } catch {
                switch error.sqlState {
                // The trial's own end: everything before it was taken.
                case Consequence.fenced: taken = middle
                case let state where Consequence(state) == .refuseRecord: refused = middle
                default: throw TargetError(error, target: name, during: "writing")
                }
            }
        }
        guard refused > 0 else { return .unavailable(target: name, reason: "writing: \(error)") }
        let (row, batch) = all[refused - 1]
        return .unwritable(
            target: name, what: batch.describe(row.change), reason: "the server refuses it: \(error)",
            change: row.change)
    }

    package func close() async {
        session = nil
        isOpen = false
        tables = PreparedTables()
    }

    // MARK: Access

    func access<R>(
        _ operation: String, _ body: (Session) throws(PostgresError) -> R
    ) throws(TargetError) -> R {
        do throws(PostgresError) { return try withSession(body) } catch {
            throw TargetError(error, target: name, during: operation)
        }
    }

    /// Connects anew where the connection was lost. What was in the middle of it has ended by then, or never will: a writer's new
    /// session has a new generation.
    private func withSession<R>(_ body: (Session) throws(PostgresError) -> R) throws(PostgresError) -> R {
        let session = if let known = self.session { known } else { try again() }
        do throws(PostgresError) {
            return try body(session)
        } catch {
            // A session that was told to write nothing stays so, whatever the server says to a new one.
            if error.isConnectionLost || error.sqlState == Consequence.readOnly { self.session = nil }
            throw error
        }
    }

    private func again() throws(PostgresError) -> Session {
        let session = try newSession()
        if let claim = generation?.claim() {
            let rows = try session.connection.execute(
                schema.goOn, [.text("\(claim.from)"), .text("\(claim.to)")])
            guard rows.count == 1 else {
                throw PostgresError(
                    sqlState: Consequence.fenced, message: "another writer has this schema", isConnectionLost: false)
            }
            generation?.claimed()
        }
        self.session = session
        return session
    }
}
