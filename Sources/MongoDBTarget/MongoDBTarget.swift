internal import MongoC
package import StreamModel
package import Targets

/// `mongodb://…`: one collection for each source table, and the applied positions in the transaction of the data where the deployment
/// has transactions. Where it has none they are written after the data, and are so never ahead of it.
package actor MongoDBTarget: Target {
    package nonisolated let name: String
    package nonisolated let storesPositions = true

    let settings: MongoSettings
    let database: String
    let format: DocumentFormat
    let names: TableNames
    let existing: ExistingPolicy
    package nonisolated var fillsOn: Bool { existing == .append }
    private let executor = BlockingExecutor(label: "shake.mongodb")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private(set) var client: MongoClient?
    private(set) var deployment: Deployment?
    private var writer: Writer?
    private let owner = ObjectID()
    /// Of this writer; `nil` where it is open beside a daemon, and writes unfenced.
    private var generation: Int64?
    /// Sessions that a connection was lost in: whatever runs under them is ended before anything else is written.
    private var lost: [Document] = []
    var tables = PreparedTables()
    private var layouts: [TableName: TableLayout] = [:]

    init(
        settings: MongoSettings, database: String, format: DocumentFormat, names: TableNames, existing: ExistingPolicy
    ) {
        self.settings = settings
        self.database = database
        self.format = format
        self.names = names
        self.existing = existing
        let scheme = settings.isLookedUp ? "mongodb+srv" : "mongodb"
        name = "\(scheme)://\(settings.hosts.joined(separator: ","))/\(database)"
    }

    // MARK: Opening

    /// Its positions, or their absence, say what it lacks of any journal.
    package nonisolated func takesOver(from earlier: String) -> Bool { true }

    package func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {
        try connect()
        try access("opening") { client throws(MongoError) in
            // None is made by itself in a transaction of version 4.2; and who may make none is told so now.
            let there = Set(try client.list(Commands.collections(), in: database).compactMap { $0["name"]?.text })
            for collection in Self.own where !there.contains(collection) {
                try create(collection, client)
            }
            var first: Int64 = 0
            writer = try Writer(client, database, owner: owner, generation: &first)
            generation = first
        }
    }

    static let own = [
        Writer.collection, Positions.shardsCollection, Positions.segmentsCollection, TableRecord.collection,
    ]

    /// Takes nothing over: a daemon goes on writing.
    package func openBeside() async throws(TargetError) { try connect() }

    func connect() throws(TargetError) {
        do throws(MongoError) {
            let client = try MongoPool(settings).client()
            deployment = Deployment(hello: try client.command(Commands.hello, in: "admin"))
            // Asks for a login, and for the right to look.
            _ = try client.list(Commands.collections(named: Writer.collection), in: database)
            self.client = client
        } catch {
            client = nil
            throw failure(error, during: "connecting")
        }
    }

    func create(_ collection: String, _ client: MongoClient) throws(MongoError) {
        do throws(MongoError) { try client.command(Commands.create(collection), in: database) } catch {
            guard error.code == Consequence.namespaceExists else { throw error }
        }
    }

    // MARK: Tables

    package func hasPlace(for table: TableName) async throws(TargetError) -> Bool {
        try access("looking for the collection \(names[table])") { client throws(MongoError) in
            try self.collection(names[table], client) != nil
        }
    }

    /// What `listCollections` says of it; `nil` where there is none.
    func collection(_ name: String, _ client: MongoClient) throws(MongoError) -> Document? {
        try client.list(Commands.collections(named: name), in: database).first
    }

    package nonisolated let copiesDesign = true

    package func prepare(_ table: TableSchema) async throws(TargetError) {
        try await prepare(table, like: TableDesign())
    }

    package func prepare(_ table: TableSchema, like design: TableDesign) async throws(TargetError) {
        let place = names[table.name]
        if let refusal = refusal(of: table.name) ?? tables.claim(place, for: table.name) {
            throw .misconfigured(target: name, reason: refusal)
        }
        let record = TableRecord(table, format)
        let misfit = try access("preparing the collection \(place)") { client throws(MongoError) -> String? in
            if let misfit = try self.misfit(of: table, client) { return misfit }
            if try self.collection(place, client) == nil { try create(place, client) }
            if let misfit = try makeIndexes(of: table, like: design, client) { return misfit }
            try client.command(
                Commands.update(
                    TableRecord.collection, Commands.equal("_id", place), record.document(of: place), upsert: true),
                in: database)
            return nil
        }
        if let misfit { throw .misconfigured(target: name, reason: misfit) }
        tables.add(table)
        layouts[table.name] = TableLayout(table, format)
    }

    /// Why no collection can have the name, and what to do; `nil` if one can.
    func refusal(of table: TableName) -> String? {
        let place = names[table]
        let problem: String? =
            if place.hasPrefix("_shake_") {
                "names that begin with _shake_ are kept for what Shake remembers"
            } else if place.hasPrefix("system.") || place.contains(".system.") {
                "names that begin with system. are MongoDB's own"
            } else if place.isEmpty || place.hasPrefix(".") || place.hasSuffix(".") || place.utf8.contains(0)
                || place.contains("$")
            {
                "MongoDB takes no name that begins or ends with a dot, or holds $ or U+0000"
            } else if database.utf8.count + 1 + place.utf8.count > deployment?.longestName ?? 255 {
                "the names of database and collection have more than \(deployment?.longestName ?? 255) bytes together"
            } else {
                nil
            }
        return problem.map {
            "the table \(table) can't be kept here as '\(place)': \($0); name another as target.tables.\(table)"
        }
    }

    /// Why a table's items can't be kept in what has its name, and what to do; `nil` where they can, or where nothing has it.
    func misfit(of table: TableSchema, _ client: MongoClient) throws(MongoError) -> String? {
        let place = names[table.name]
        guard let collection = try collection(place, client) else { return nil }
        let problem: String?
        if let shape = Self.misshape(of: collection) {
            problem = shape
        } else {
            problem = try difference(of: table, in: place, client)
        }
        return problem.map {
            "the collection \(place) is not what Shake would make: \($0). Rename or drop it, or name another as "
                + "target.tables.\(table.name)"
        }
    }

    static func misshape(of collection: Document) -> String? {
        let kind = collection["type"]?.text ?? "collection"
        guard kind == "collection" else { return "it is a \(kind)" }
        let options = collection["options"]?.document
        if case .bool(true)? = options?["capped"] { return "it is capped, and would drop its oldest rows" }
        if let locale = options?["collation", "locale"]?.text, locale != "simple" {
            return "it compares texts by the collation \(locale), and keys must compare by their bytes"
        }
        return nil
    }

    /// What was written there before must be what would be written now; of rows of somebody else's nothing is known.
    private func difference(
        of table: TableSchema, in place: String, _ client: MongoClient
    ) throws(MongoError) -> String? {
        let filter = Commands.equal("_id", place)
        guard
            let found = try client.find(filter, in: database, TableRecord.collection, options: Commands.one).first,
            try isFilled(place, client)
        else { return nil }
        return TableRecord(table, format).difference(from: found)
    }

    func isFilled(_ place: String, _ client: MongoClient) throws(MongoError) -> Bool {
        try !client.find(Document(), in: database, place, options: Commands.one).isEmpty
    }

    // MARK: Positions

    package func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] {
        try access("reading positions") { client throws(MongoError) in
            try client.find(Commands.equal("table", table.text), in: database, Positions.shardsCollection)
                .compactMap { Positions.shard($0, of: table) }
        }
    }

    package func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] {
        try access("reading positions") { client throws(MongoError) in
            try client.find(Commands.equal("table", table.text), in: database, Positions.segmentsCollection)
                .compactMap { Positions.segment($0) }
        }
    }

    // MARK: Writing

    package func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] {
        let rows = try tables.rows(of: batches, target: name)
        guard !batches.isEmpty else { return [] }
        try await apply(try writes(of: rows, batches), positionsOf: batches)
        return batches.map { _ in nil }
    }

    /// What becomes of the rows, collection by collection.
    private func writes(
        of rows: [[Collapse.Row]], _ batches: [Batch]
    ) throws(TargetError) -> [CollectionWrites] {
        let isGuarded = !(deployment?.hasTransactions ?? false)
        var writes: [CollectionWrites] = []
        var places: [TableName: Int] = [:]
        for (index, batch) in batches.enumerated() where !rows[index].isEmpty {
            let table = batch.table.name
            guard let layout = layouts[table] else { preconditionFailure("what has rows was prepared") }
            let place = places[table] ?? writes.count
            if place == writes.count {
                places[table] = place
                writes.append(CollectionWrites(names[table]))
            }
            for row in rows[index] {
                do throws(FormatError) {
                    let change = try layout.change(row, of: batch, isGuarded: isGuarded)
                    writes[place].append(.init(change: change, record: row.change, batch: index))
                } catch {
                    throw .unwritable(
                        target: name, what: batch.describe(row.change), reason: "\(error)", change: row.change)
                }
                if let size = writes[place].sizeOfLast, size > Self.largest {
                    // libmongoc would refuse all of the bulk, and not say which it was.
                    throw .unwritable(
                        target: name, what: batch.describe(row.change),
                        reason: "it is a document of \(size) bytes, and MongoDB's have at most \(Self.largest)",
                        change: row.change)
                }
            }
        }
        return writes
    }

    /// Source: MongoDB Manual, "MongoDB Limits and Thresholds".
    private static let largest = 16 << 20

    /// Writes all, and once more where a key was taken meanwhile: who inserts it at the same time is done by then.
    private func apply(_ writes: [CollectionWrites], positionsOf batches: [Batch]) async throws(TargetError) {
        let positions = Positions(batches).documents
        var refused: Refused?
        for isLast in [false, true] {
            do throws(MongoError) {
                refused = try attempt(writes, positions, isLast: isLast)
            } catch {
                throw failure(error, during: "writing")
            }
            guard refused?.error.code == Consequence.duplicateKey else { break }
        }
        guard let refused else { return }
        let batch = batches[refused.write.batch]
        let what = batch.describe(refused.write.record)
        switch Consequence(ofWrite: refused.error) {
        case .retry: throw .unavailable(target: name, reason: "writing \(what): \(refused.error)")
        case .stop(let advice):
            throw .misconfigured(target: name, reason: "writing \(what): \(refused.error): \(advice)")
        case .refuseRecord:
            throw .unwritable(
                target: name, what: what, reason: "the server refuses it: \(refused.error)",
                change: refused.write.record)
        }
    }

    private struct Refused: Error {
        let write: CollectionWrites.Write
        let error: MongoError

        /// Said of its own index by a guarded upsert that finds a later change there, and of nothing else the second time.
        var isHeldLater: Bool { error.code == Consequence.duplicateKey && error.message.hasSuffix("index: _id_") }
        /// What stops all goes before what passes, that before what is one record's, and that before a key that may be free again.
        var weight: Int {
            switch Consequence(ofWrite: error) {
            case .stop: 3
            case .retry: 2
            case .refuseRecord: error.code == Consequence.duplicateKey ? 0 : 1
            }
        }
    }

    /// - Parameter isLast: whether a key that is taken is so for good.
    /// - Returns: the write that matters most of those that the server refused; `nil` where it took all.
    private func attempt(
        _ writes: [CollectionWrites], _ positions: Positions.Documents, isLast: Bool
    ) throws(MongoError) -> Refused? {
        let hasTransactions = deployment?.hasTransactions ?? false
        return try withWriter { writer throws(MongoError) in
            guard hasTransactions else {
                try writer.check()
                var refused: [Refused] = []
                // Apart, since a deletion that was not done is not known by a count.
                for one in writes {
                    for kind in one.byKind { refused += try send(kind, of: one.collection, writer, isDurable: true) }
                }
                if isLast, !format.layout.isNimoShakes { refused.removeAll(where: \.isHeldLater) }
                // Only what is there is said to be.
                if refused.isEmpty { try move(positions, writer, isDurable: true) }
                return refused.max { $0.weight < $1.weight }
            }
            // In a transaction the first one ends it.
            var refused: Refused?
            do throws(MongoError) {
                try writer.transaction { () throws(MongoError) in
                    try writer.fence()
                    for one in writes {
                        refused = try send(one.upsertsFirst, of: one.collection, writer, isDurable: false).first
                        if let refused { throw refused.error }
                    }
                    try move(positions, writer, isDurable: false)
                }
            } catch {
                guard refused == nil else { return refused }
                throw error
            }
            return nil
        }
    }

    private func send(
        _ ordered: [CollectionWrites.Write], of collection: String, _ writer: Writer, isDurable: Bool
    ) throws(MongoError) -> [Refused] {
        var bulk = try Bulk(
            writer.client, database, collection, session: writer.session, isDurable: isDurable,
            limit: Commands.limit)
        for write in ordered {
            switch write.change {
            case .replace(let filter, let document): try bulk.replace(filter, with: document)
            case .delete(let filter): try bulk.delete(filter)
            }
        }
        return try bulk.execute().filter { ordered.indices.contains($0.index) }
            .map { Refused(write: ordered[$0.index], error: $0.error) }
    }

    private func move(
        _ positions: Positions.Documents, _ writer: Writer, isDurable: Bool
    ) throws(MongoError) {
        for (collection, documents) in positions {
            var bulk = try Bulk(
                writer.client, database, collection, session: writer.session, isDurable: isDurable,
                limit: Commands.limit)
            for (filter, document) in documents { try bulk.replace(filter, with: document) }
            if let refusal = try bulk.execute().first { throw refusal.error }
        }
    }

    package func close() async {
        writer = nil
        client = nil
        tables = PreparedTables()
        layouts = [:]
    }

    // MARK: Access

    func access<R>(
        _ operation: String, _ body: (MongoClient) throws(MongoError) -> R
    ) throws(TargetError) -> R {
        guard let client else { throw .unavailable(target: name, reason: "\(operation): it is not open") }
        do throws(MongoError) { return try body(client) } catch { throw failure(error, during: operation) }
    }

    /// With a writer anew where the last one's connection was lost: what it was in the middle of is ended first, and a transaction of it
    /// that is late has an older generation.
    private func withWriter<R>(_ body: (Writer) throws(MongoError) -> R) throws(MongoError) -> R {
        let writer = if let known = self.writer { known } else { try again() }
        do throws(MongoError) {
            return try body(writer)
        } catch {
            // What a server has said no to is over.
            if error.isConnectionLost || error.isCommitUnknown {
                lost.append(writer.session.identifier)
                self.writer = nil
            }
            throw error
        }
    }

    private func again() throws(MongoError) -> Writer {
        guard let client else { throw MongoError(code: nil, message: "it is not open") }
        let writer: Writer
        if var generation {
            defer { self.generation = generation }
            writer = try Writer(client, database, owner: owner, after: &generation, killing: lost)
        } else {
            writer = try Writer(beside: client, database)
        }
        lost = []
        self.writer = writer
        return writer
    }

    func failure(_ error: MongoError, during operation: String) -> TargetError {
        var error = error
        if error.code == nil, settings.isEncryptedByDefault {
            error = MongoError(
                code: nil,
                message:
                    "\(error.message) (TLS is asked for, since a host is not this machine: a server that has none needs "
                    + "tls=false in the URL)", labels: error.labels)
        }
        return TargetError(error, target: name, during: operation)
    }
}
