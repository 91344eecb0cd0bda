import Foundation
import GRDB
import StreamModel
import Targets
import Testing

@testable import Targets

@Suite("A SQLite target")
struct SQLiteTargetTests {
    private static let ann = #"{"id":{"S":"ann"}}"#
    private static let bob = #"{"id":{"S":"bob"}}"#

    private let scratch: Scratch
    private var path: String { scratch.file("copy.db") }

    init() throws { scratch = try Scratch() }

    private func opened(_ tables: TableSchema...) async throws -> SQLiteTarget {
        let target = SQLiteTarget(path: try TargetPath(path, target: "sqlite:"), busyTimeout: 0.01)
        try await target.open(recoveringTo: [])
        for table in tables { try await target.prepare(table) }
        return target
    }

    /// What another connection sees.
    private func rows(_ sql: String) throws -> [[DatabaseValue]] {
        try DatabaseQueue(path: path).read { try Row.fetchAll($0, sql: sql).map { Array($0.databaseValues) } }
    }

    private func execute(_ sql: String) throws { try DatabaseQueue(path: path).write { try $0.execute(sql: sql) } }

    /// A connection that may keep a transaction open between calls.
    private func otherProcess() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    // MARK: Keys

    @Test("lists keys from the index alone, from wherever it goes on", arguments: [TableSchema.people, .orders])
    func keysFromIndex(table: TableSchema) async throws {
        _ = try await opened(table)
        for (isFirst, way) in [(true, "SCAN"), (false, "SEARCH")] {
            var sql = "EXPLAIN QUERY PLAN " + SQLiteSchema.keys(table, isFirst: isFirst)
            while let place = sql.firstIndex(of: "?") { sql.replaceSubrange(place...place, with: "1") }
            let plan = try rows(sql).map { String.fromDatabaseValue($0[3]) ?? "" }
            #expect(plan.count == 1)
            #expect(plan[0].hasPrefix(way) && plan[0].contains("USING COVERING INDEX"), "\(plan)")
        }
    }

    // MARK: What is stored

    @Test("stores the item byte for byte, and where it came from")
    func row() async throws {
        let target = try await opened(.orders)
        let item = #"{ "customer":{"S":"a\u006en"},"n":{"N":"1.500E+2"}, "number":{"N":"007.0"},"e":{"S":"é"} }"#
        _ = try await target.write([
            Feed.batch(
                .orders, first: 7, [.insert(keys: #"{"customer":{"S":"ann"},"number":{"N":"007.0"}}"#, new: item)])
        ])
        let sql = """
            SELECT hash_key, range_key, item, sequence_number, shard, approximate_time,
            typeof(hash_key), typeof(range_key), typeof(item) FROM "shop.orders-2026"
            """
        #expect(
            try rows(sql) == [
                [
                    "ann".databaseValue, "7".databaseValue, item.databaseValue,
                    "1000000000000000000000007".databaseValue, "shardId-00000001763900000000-abcdef01".databaseValue,
                    "2026-11-23T16:32:34Z".databaseValue, "text".databaseValue, "text".databaseValue,
                    "text".databaseValue,
                ]
            ])
    }

    @Test("stores a row of a scan without a place in the stream, and a later change with one")
    func scanned() async throws {
        let target = try await opened(.people)
        let places = "SELECT sequence_number, shard, approximate_time FROM people"
        _ = try await target.write([
            Feed.batch(.people, first: 1, [.insert(keys: Self.bob, new: Self.bob), .remove(keys: Self.bob)])
        ])
        _ = try await target.write([Feed.scan(.people, [Self.ann])])
        #expect(try rows(places) == [[.null, .null, .null]])
        _ = try await target.write([Feed.batch(.people, first: 2, [.modify(keys: Self.ann, old: nil, new: Self.ann)])])
        #expect(try rows(places).first?.contains(.null) == false)
    }

    @Test("gives each row of one write the shard that it came from")
    func shards() async throws {
        let target = try await opened(.people)
        _ = try await target.write([
            Feed.batch(.people, shard: Feed.key(of: .people, shard: "one"), [.insert(keys: Self.ann, new: Self.ann)]),
            Feed.scan(.people, [#"{"id":{"S":"eve"}}"#]),
            Feed.batch(.people, shard: Feed.key(of: .people, shard: "two"), [.insert(keys: Self.bob, new: Self.bob)]),
        ])
        let found = try rows("SELECT hash_key, shard FROM people ORDER BY hash_key")
        let expected: [[DatabaseValue]] = [
            ["ann".databaseValue, "one".databaseValue], ["bob".databaseValue, "two".databaseValue],
            ["eve".databaseValue, .null],
        ]
        #expect(found == expected)
    }

    @Test("keeps S keys as TEXT with their zero bytes, B keys as the BLOB they stand for, N keys as canonical TEXT")
    func keys() async throws {
        let binary = TableSchema("binary", ("h", .binary), ("r", .string))
        let target = try await opened(binary)
        let key = #"{"h":{"B":"AGH/"},"r":{"S":"a\u0000b"}}"#
        _ = try await target.write([Feed.batch(binary, [.insert(keys: key, new: key)])])
        let sql = "SELECT typeof(hash_key), hex(hash_key), typeof(range_key), hex(range_key) FROM \"binary\""
        #expect(try rows(sql) == [["blob", "0061FF", "text", "610062"].map(\.databaseValue)])
    }

    @Test("makes the file for this user alone, in WAL mode")
    func file() async throws {
        let target = try await opened(.people)
        #expect(try scratch.permissions(of: "copy.db") == 0o600)
        #expect(try rows("PRAGMA journal_mode") == [["wal".databaseValue]])
        await target.close()
        #expect(try scratch.names() == ["copy.db"], "the log is folded in at the end")
    }

    // MARK: One transaction

    @Test("moves a position in the transaction of the data, so that both fail together")
    func together() async throws {
        let target = try await opened(.people)
        _ = try await target.write([Feed.batch(.people, first: 1, [.insert(keys: Self.ann, new: Self.ann)])])
        try execute(
            """
            CREATE TRIGGER refuse BEFORE INSERT ON people WHEN new.hash_key = 'bob'
            BEGIN SELECT RAISE(ABORT, 'not bob'); END
            """)
        let error = await #expect(throws: TargetError.self) {
            _ = try await target.write([
                Feed.batch(.people, shard: Feed.key(of: .people, shard: "other"), first: 2, [.remove(keys: Self.ann)]),
                Feed.batch(.people, first: 2, [.insert(keys: Self.bob, new: Self.bob)]),
            ])
        }
        #expect(error?.isRetryable == false)
        #expect(error?.description.contains("not bob") == true)
        #expect(try rows("SELECT hash_key FROM people") == [["ann".databaseValue]])
        #expect(
            try await target.positions(of: TableName("people")) == [
                ShardPosition(shard: Feed.key(of: .people), epoch: .first, sequenceNumber: Feed.number(1))
            ])
    }

    @Test("keeps how far each segment of the last scan has come, with the rows and not without them")
    func scanPositions() async throws {
        let target = try await opened(.people)
        _ = try await target.write([Feed.scan(.people, segment: 0, [Self.ann]), Feed.scan(.people, segment: 3, [])])
        _ = try await target.write([Feed.scan(.people, segment: 0, upTo: 2, [Self.bob])])
        try execute(
            """
            CREATE TRIGGER refuse BEFORE INSERT ON people WHEN new.hash_key = 'eve'
            BEGIN SELECT RAISE(ABORT, 'not eve'); END
            """)
        await #expect(throws: TargetError.self) {
            _ = try await target.write([Feed.scan(.people, segment: 0, upTo: 3, [#"{"id":{"S":"eve"}}"#])])
        }
        func position(_ segment: UInt32, _ items: UInt64, fullSync: UInt64 = 7) -> SegmentPosition {
            SegmentPosition(fullSync: FullSyncID(fullSync), segment: segment, items: items)
        }
        #expect(Set(try await target.scanPositions(of: TableName("people"))) == [position(0, 2), position(3, 0)])
        #expect(try await target.scanPositions(of: TableName("others")) == [])
        _ = try await target.write([Feed.scan(.people, segment: 0, fullSync: 9, [Self.ann])])
        #expect(
            Set(try await target.scanPositions(of: TableName("people"))) == [
                position(0, 1, fullSync: 9), position(3, 0),
            ])
    }

    @Test("is unavailable while another process holds the write lock, and takes the same write afterwards")
    func busy() async throws {
        let target = try await opened(.people)
        let other = try otherProcess()
        let batch = Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])

        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let error = await #expect(throws: TargetError.self) { _ = try await target.write([batch]) }
        #expect(error?.isRetryable == true)
        #expect(error?.description.contains("another process holds the database's write lock") == true)
        try await other.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }

        _ = try await target.write([batch])
        #expect(try rows("SELECT hash_key FROM people") == [["ann".databaseValue]])
    }

    @Test("is written to while another process reads")
    func readers() async throws {
        let target = try await opened(.people)
        let other = try otherProcess()
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN; SELECT * FROM people") }
        _ = try await target.write([Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])])
        let count = try await other.writeWithoutTransaction { database in
            let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM people")
            try database.execute(sql: "COMMIT")
            return count
        }
        #expect(count == 0, "a reader keeps the state that it began with")
        #expect(try rows("SELECT hash_key FROM people") == [["ann".databaseValue]])
    }

    // MARK: What is refused

    @Test(
        "refuses a change without a new image, and names the table and the view type",
        arguments: [
            (nil, "KEYS_ONLY"), (#"{"id":{"S":"ann"}}"#, "OLD_IMAGE"),
        ])
    func imageless(old: String?, viewType: String) async throws {
        let target = try await opened(.people)
        let error = await #expect(throws: TargetError.self) {
            _ = try await target.write([Feed.batch(.people, [.imageless(.modify, keys: Self.ann, old: old)])])
        }
        guard case .unwritable(_, let what, let reason, let change) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(what.contains("MODIFY at 1000000000000000000000001 of people/"))
        #expect(change?.sequenceNumber?.text == "1000000000000000000000001")
        #expect(reason.contains("stream of people has the view type \(viewType)"))
    }

    @Test("removes by keys alone, as a KEYS_ONLY stream sends them")
    func keysOnly() async throws {
        let target = try await opened(.people)
        _ = try await target.write([Feed.scan(.people, [Self.ann, Self.bob])])
        _ = try await target.write([Feed.batch(.people, [.remove(keys: Self.ann)])])
        #expect(try rows("SELECT hash_key FROM people") == [["bob".databaseValue]])
    }

    @Test(
        "refuses a key that it can't read, and says of which change",
        arguments: [
            #"{"k":{"N":"1,5"}}"#, #"{"k":{"S":"1"}}"#, #"{"other":{"N":"1"}}"#, #"{"k":{"N":"1E+126"}}"#, "[]",
        ])
    func badKeys(keys: String) async throws {
        let table = TableSchema("numbers", ("k", .number))
        let target = try await opened(table)
        let error = await #expect(throws: TargetError.self) {
            _ = try await target.write([Feed.batch(table, first: 9, [.insert(keys: keys, new: keys)])])
        }
        guard case .unwritable(_, let what, _, let change) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(what.contains("INSERT at 1000000000000000000000009"))
        #expect(change?.sequenceNumber?.text == "1000000000000000000000009")
    }

    @Test(
        "refuses a table whose name SQLite or Shake keeps for itself",
        arguments: [
            "sqlite_users", "SQLite_Users", "_shake_positions", "_Shake_anything",
        ])
    func reserved(name: String) async throws {
        let target = try await opened()
        let error = await #expect(throws: TargetError.self) {
            try await target.prepare(TableSchema(name, ("id", .string)))
        }
        #expect(error?.description.contains("the table \(name) can't be kept here") == true)
    }

    @Test("refuses a second table whose name differs in case only")
    func caseTwins() async throws {
        let target = try await opened(.people)
        let error = await #expect(throws: TargetError.self) {
            try await target.prepare(TableSchema("People", ("id", .string)))
        }
        #expect(error?.description.contains("there is a table people, and SQLite holds names equal") == true)
    }

    @Test(
        "refuses what has a table's name and another shape, and says what differs",
        arguments: [
            ("CREATE TABLE people (id TEXT)", "there is no column hash_key"),
            ("CREATE VIEW people AS SELECT 1", "there is a view of that name"),
            (
                "CREATE TABLE people (hash_key BLOB NOT NULL, item TEXT NOT NULL, sequence_number TEXT, shard TEXT,"
                    + " approximate_time TEXT, PRIMARY KEY (hash_key))", "its column hash_key is BLOB"
            ),
            (
                "CREATE TABLE people (hash_key TEXT NOT NULL, item TEXT NOT NULL, sequence_number TEXT, shard TEXT,"
                    + " approximate_time TEXT)", "outside the primary key"
            ),
            (
                "CREATE TABLE people (hash_key TEXT NOT NULL, item TEXT NOT NULL, sequence_number TEXT, shard TEXT,"
                    + " approximate_time TEXT, extra TEXT, PRIMARY KEY (hash_key))", "it has a column extra too"
            ),
            (
                "CREATE TABLE people (hash_key TEXT NOT NULL COLLATE NOCASE, item TEXT NOT NULL, sequence_number TEXT,"
                    + " shard TEXT, approximate_time TEXT, PRIMARY KEY (hash_key))", "its key compares by NOCASE"
            ),
        ])
    func shapes(sql: String, reason: String) async throws {
        let target = try await opened()
        try execute(sql)
        let error = await #expect(throws: TargetError.self) { try await target.prepare(.people) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
        #expect(error?.isRetryable == false)
    }

    @Test("refuses a table that was made again at the source with another key")
    func newKey() async throws {
        let target = try await opened(.people)
        let error = await #expect(throws: TargetError.self) {
            try await target.prepare(TableSchema("people", ("id", .string), ("at", .number)))
        }
        #expect(error?.description.contains("there is no column range_key") == true)
    }

    @Test("leaves generated columns, indexes and other tables that somebody added alone")
    func additions() async throws {
        var target = try await opened(.people)
        await target.close()
        try execute(
            """
            ALTER TABLE people ADD COLUMN age TEXT GENERATED ALWAYS AS (json_extract(item, '$.age.N')) VIRTUAL;
            CREATE INDEX by_age ON people (age);
            CREATE TABLE mine (x);
            """)
        target = try await opened(.people)
        _ = try await target.write([
            Feed.batch(.people, [.insert(keys: Self.ann, new: #"{"id":{"S":"ann"},"age":{"N":"42"}}"#)])
        ])
        #expect(try rows("SELECT age FROM people") == [["42".databaseValue]])
    }

    @Test("refuses a file that is no database")
    func noDatabase() async throws {
        try scratch.write(Array("these are not the bytes of a database, by far".utf8), to: "copy.db")
        let error = await #expect(throws: TargetError.self) { _ = try await opened() }
        #expect(error?.description.contains("the file is no SQLite database") == true)
        #expect(error?.isRetryable == false)
    }

    @Test("refuses a damaged database")
    func damaged() async throws {
        var target = try await opened(.people)
        let items = (0..<500).map { #"{"id":{"S":"\#($0)"}}"# }
        _ = try await target.write([Feed.scan(.people, items)])
        await target.close()
        var bytes = try scratch.bytes(of: "copy.db")
        for index in 8192..<bytes.count { bytes[index] = 0xA5 }
        try scratch.write(bytes, to: "copy.db")

        let error = await #expect(throws: TargetError.self) {
            target = try await opened(.people)
            _ = try await target.write([Feed.scan(.people, items)])
        }
        #expect(error?.isRetryable == false)
        #expect(error?.description.contains("damaged") == true, "\(String(describing: error))")
    }

    @Test("refuses positions of another shape")
    func otherPositions() async throws {
        try execute("CREATE TABLE _shake_positions (shard TEXT)")
        let error = await #expect(throws: TargetError.self) { _ = try await opened() }
        #expect(error?.description.contains("_shake_positions was not made by this version") == true)
    }

    @Test("refuses to write into a file that was removed or replaced while it was open")
    func removed() async throws {
        let target = try await opened(.people)
        try FileManager.default.removeItem(atPath: path)
        let batch = Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])
        for _ in 1...2 {
            let error = await #expect(throws: TargetError.self) { _ = try await target.write([batch]) }
            #expect(error?.description.contains("removed or replaced while it was open") == true)
            try scratch.write([], to: "copy.db")
        }
    }

    @Test("refuses a batch for a table that was not prepared")
    func unprepared() async throws {
        let target = try await opened()
        await #expect(throws: TargetError.self) {
            _ = try await target.write([Feed.batch(.people, [.remove(keys: Self.ann)])])
        }
    }

    @Test(
        "says what SQLite's errors mean, and which of them pass",
        arguments: [
            (ResultCode.SQLITE_BUSY, true), (.SQLITE_FULL, true), (.SQLITE_IOERR, true), (.SQLITE_NOMEM, true),
            (.SQLITE_CORRUPT, false), (.SQLITE_NOTADB, false), (.SQLITE_READONLY, false), (.SQLITE_CANTOPEN, false),
            (.SQLITE_TOOBIG, false), (.SQLITE_ERROR, false),
        ])
    func errors(code: ResultCode, isRetryable: Bool) {
        let error = TargetError(
            DatabaseError(resultCode: code, message: "it said"), target: "sqlite:a", during: "writing")
        #expect(error.isRetryable == isRetryable)
        #expect(error.description.contains("sqlite:a") && error.description.contains("writing: it said"))
    }
}
