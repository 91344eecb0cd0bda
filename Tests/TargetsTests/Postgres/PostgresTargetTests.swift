import AllTargets
import Foundation
import LibPQ
import StreamModel
import Targets
import Testing

@testable import PostgresTarget

@Suite("A PostgreSQL target")
struct PostgresTargetTests {
    private static let ann = #"{"id":{"S":"ann"}}"#
    private static let bob = #"{"id":{"S":"bob"}}"#
    private let scratch: Scratch
    private var schema: String { Postgres.schema(of: scratch) }

    init() throws {
        scratch = try Scratch()
        try Postgres.makeSchema(scratch)
    }

    private func make(
        _ existing: ExistingPolicy = .refuse, url: String? = nil, _ options: (String, String)...
    ) throws -> any Target {
        let entries = [("schema", schema)] + options
        return try TargetSchemes.all.make(
            url ?? Postgres.url(), existing: existing,
            options: TargetOptions(
                entries.map { TargetOptions.Entry(path: $0.0.split(separator: "/").map(String.init), value: $0.1) }))
    }

    private func opened(_ existing: ExistingPolicy = .refuse, _ options: (String, String)...) async throws -> any Target
    {
        let entries = [("schema", schema)] + options
        let target = try TargetSchemes.all.make(
            Postgres.url(), existing: existing,
            options: TargetOptions(
                entries.map { TargetOptions.Entry(path: $0.0.split(separator: "/").map(String.init), value: $0.1) }))
        try await target.open(recoveringTo: [])
        return target
    }

    /// One of the test's own, which the target's are told from by its name.
    private func connection() throws -> Connection {
        try Connection(ConnectionSettings(url: "\(Postgres.url())?application_name=test"))
    }

    private func ask(_ sql: String) throws -> String? {
        let rows = try connection().execute(
            sql.split(separator: "SCHEMA", omittingEmptySubsequences: false).joined(separator: schema))
        return rows.count == 0 ? nil : rows.text(0, 0)
    }

    private func refusal(_ body: () async throws -> Void) async -> TargetError? {
        do {
            try await body()
            return nil
        } catch { return error as? TargetError }
    }

    // MARK: What lies there

    @Test("leaves what it finds alone unless somebody says what becomes of it", arguments: ExistingPolicy.allCases)
    func policy(existing: ExistingPolicy) async throws {
        let before = try await opened()
        try await before.prepare(.people)
        _ = try await before.write([Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])])
        await before.close()

        let target = try await opened(existing)
        let name = TableSchema.people.name
        switch existing {
        case .refuse:
            let error = await refusal { _ = try await target.begin(name) }
            #expect(error?.description.contains("--existing append") == true)
        case .append: #expect(try await target.begin(name)?.contains("filled on") == true)
        case .replace: #expect(try await target.begin(name)?.contains("dropped") == true)
        case .rename: #expect(try await target.begin(name)?.contains("people_before") == true)
        }
        if existing != .refuse { try await target.prepare(.people) }
        let stays = existing == .refuse || existing == .append
        #expect(try ask("SELECT count(*) FROM SCHEMA.people") == (stays ? "1" : "0"))
        #expect(try ask("SELECT count(*) FROM SCHEMA._shake_positions") == (stays ? "1" : "0"))
        if existing == .rename { #expect(try ask("SELECT count(*) FROM SCHEMA.people_before") == "1") }
        let place = try await target.survey(.people)
        #expect(place.contents == (stays ? .filled : .empty))
    }

    @Test(
        "refuses a table that is not what it would make, with what differs",
        arguments: [
            ("CREATE TABLE SCHEMA.people (a int)", "no column hash_key"),
            (
                "CREATE TABLE SCHEMA.people (hash_key text NOT NULL, item jsonb NOT NULL, sequence_number numeric, shard text, epoch bigint, approximate_time timestamptz, PRIMARY KEY (hash_key))",
                "compares by"
            ),
            (
                "CREATE TABLE SCHEMA.people (hash_key text COLLATE \"C\" NOT NULL, item json NOT NULL, sequence_number numeric, shard text, epoch bigint, approximate_time timestamptz, PRIMARY KEY (hash_key))",
                "item is json"
            ),
            (
                "CREATE TABLE SCHEMA.people (hash_key text COLLATE \"C\" NOT NULL, item jsonb NOT NULL, sequence_number numeric, shard text, epoch bigint, approximate_time timestamptz)",
                "primary key"
            ),
            ("CREATE VIEW SCHEMA.people AS SELECT 1", "it is no table"),
        ])
    func misfit(sql: String, words: String) async throws {
        _ = try ask(sql)
        let target = try await opened()
        let error = await refusal { try await target.prepare(.people) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect(try await target.survey(.people).unfit?.contains(words) == true)
    }

    @Test("calls tables as it is told to, and refuses names that would be cut or are its own")
    func names() async throws {
        let target = try await opened(.refuse, ("tables/people", "leute"), ("prefix", "eu_"))
        try await target.prepare(.people)
        try await target.prepare(.orders)
        #expect(try await target.hasPlace(for: TableSchema.people.name))
        #expect(try ask("SELECT to_regclass('SCHEMA.leute')::text") != nil)
        #expect(try ask("SELECT to_regclass('SCHEMA.\"eu_shop.orders-2026\"')::text") != nil)
        let long = TableSchema(String(repeating: "a", count: 62), ("id", .string))
        #expect(await refusal { try await target.prepare(long) }?.description.contains("63 bytes") == true)
        let own = try await opened(.refuse, ("tables/people", "_shake_positions"))
        #expect(await refusal { try await own.prepare(.people) }?.description.contains("_shake_") == true)
    }

    @Test("Two tables in one place are refused, before anything in it is touched")
    func shared() async throws {
        let target = try await opened(.replace, ("tables/people", "eu_shop.orders-2026"), ("prefix", "eu_"))
        try await target.prepare(.people)
        _ = try await target.write([Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])])
        let orders = TableSchema.orders
        for error in [
            await refusal { _ = try await target.begin(orders.name) },
            await refusal { try await target.prepare(orders) },
        ] {
            guard case .misconfigured(_, let reason) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(reason.contains("people and \(orders.name)") && reason.contains("target.tables.\(orders.name)"))
        }
        #expect(try await target.survey(orders).unfit?.contains("people and \(orders.name)") == true)
        #expect(try ask("SELECT count(*) FROM SCHEMA.\"eu_shop.orders-2026\"") == "1")
        try await target.prepare(.people)
    }

    @Test("Tables with long names are told apart, and get another name as often as it takes")
    func longNames() async throws {
        let start = String(repeating: "a", count: 61)
        let tables = ["1", "2"].map { TableSchema(start + $0, ("id", .string)) }
        for _ in 1...3 {
            let target = try await opened(.rename)
            for table in tables {
                _ = try await target.begin(table.name)
                try await target.prepare(table)
                _ = try await target.write([Feed.batch(table, [.insert(keys: Self.ann, new: Self.ann)])])
            }
            await target.close()
        }
        #expect(try ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'SCHEMA' AND tablename LIKE 'aaa%'") == "6")
    }

    // MARK: Typed columns

    @Test("makes typed columns of the item, and names the record that does not fit one")
    func columns() async throws {
        let target = try await opened(
            .refuse, ("columns/people/age", "bigint"), ("columns/people/note", "text"), ("columns/people/tags", "jsonb")
        )
        try await target.prepare(.people)
        try await target.prepare(.people)
        let full = #"{"id":{"S":"ann"},"age":{"N":"42"},"note":{"S":"it's"},"tags":{"SS":["a"]}}"#
        let bare = #"{"id":{"S":"bob"},"age":{"S":"old"}}"#
        _ = try await target.write([
            Feed.batch(.people, [.insert(keys: Self.ann, new: full), .insert(keys: Self.bob, new: bare)])
        ])
        #expect(
            try ask("SELECT age || note || (tags->'SS'->>0) FROM SCHEMA.people WHERE hash_key = 'ann'") == "42it'sa")
        #expect(try ask("SELECT age IS NULL AND note IS NULL FROM SCHEMA.people WHERE hash_key = 'bob'") == "t")
        let odd = Feed.batch(
            .people, first: 3,
            [.modify(keys: Self.ann, old: nil, new: #"{"id":{"S":"ann"},"age":{"N":"1.5"}}"#)])
        let error = await refusal { _ = try await target.write([odd]) }
        guard case .unwritable(_, _, _, let change) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(change?.sequenceNumber == Feed.number(3))
        #expect(
            await refusal { _ = try await opened(.refuse, ("columns/people/age", "money")) }?.description
                .contains("text, numeric, bigint") == true)
    }

    @Test("names the record that breaks what the database checks only at the end of a transaction")
    func deferred() async throws {
        let target = try await opened(.refuse, ("columns/people/age", "bigint"))
        try await target.prepare(.people)
        _ = try ask("ALTER TABLE SCHEMA.people ADD CONSTRAINT age_once UNIQUE (age) DEFERRABLE INITIALLY DEFERRED")
        func item(_ id: Int, _ age: Int) -> Feed.Entry {
            .insert(keys: #"{"id":{"S":"\#(id)"}}"#, new: #"{"id":{"S":"\#(id)"},"age":{"N":"\#(age)"}}"#)
        }
        let batch = Feed.batch(.people, [item(1, 10), item(2, 20), item(3, 10), item(4, 40)])
        let error = await refusal { _ = try await target.write([batch]) }
        guard case .unwritable(_, _, _, let change) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(change?.sequenceNumber == Feed.number(3))
    }

    // MARK: Order

    @Test("An older change of a shard never goes over a newer one; a newer epoch, another shard and a scan do")
    func guarded() async throws {
        let target = try await opened()
        try await target.prepare(.people)
        func write(_ value: Int, at number: Int, epoch: UInt64 = 0, shard: String = "shardId-1") async throws {
            let item = #"{"id":{"S":"ann"},"v":{"N":"\#(value)"}}"#
            _ = try await target.write([
                Feed.batch(
                    .people, shard: Feed.key(of: .people, shard: shard), epoch: Epoch(epoch), first: number,
                    [.modify(keys: Self.ann, old: nil, new: item)])
            ])
        }
        func held() throws -> String? { try ask("SELECT item->'v'->>'N' FROM SCHEMA.people") }
        try await write(1, at: 10)
        try await write(2, at: 9)
        #expect(try held() == "1")
        try await write(3, at: 9, epoch: 1)
        #expect(try held() == "3", "the shard was rewound")
        try await write(4, at: 1, shard: "shardId-2")
        #expect(try held() == "4")
        _ = try await target.write([Feed.scan(.people, [#"{"id":{"S":"ann"},"v":{"N":"5"}}"#])])
        #expect(try held() == "5")
    }

    @Test("A writer that another one has taken over from writes nothing more, and says so")
    func fenced() async throws {
        let first = try await opened()
        try await first.prepare(.people)
        let second = try await opened()
        try await second.prepare(.people)
        let batch = Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])
        let error = await refusal { _ = try await first.write([batch]) }
        guard case .misconfigured(_, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("another daemon has taken over"))
        #expect(try ask("SELECT count(*) FROM SCHEMA.people") == "0")
        _ = try await second.write([batch])
        #expect(try ask("SELECT count(*) FROM SCHEMA.people") == "1")
        let beside = try make()
        try await beside.openBeside()
        _ = try await second.write([Feed.batch(.people, first: 2, [.insert(keys: Self.bob, new: Self.bob)])])
        #expect(try ask("SELECT count(*) FROM SCHEMA.people") == "2", "who compares takes nothing over")
    }

    /// Positions without rows would be believed: nothing would bring the rows again.
    @Test(
        "forgets positions before the rows go, so that what fails in between leaves rows and no positions",
        arguments: [ExistingPolicy.replace, .rename])
    func forgetsFirst(existing: ExistingPolicy) async throws {
        let before = try await opened()
        try await before.prepare(.people)
        _ = try await before.write([Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])])
        await before.close()
        try connection().script(
            """
            CREATE FUNCTION \(schema).keep() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN RAISE EXCEPTION 'positions stay'; END$$;
            CREATE TRIGGER keep BEFORE DELETE ON \(schema)._shake_positions EXECUTE FUNCTION \(schema).keep();
            """)
        let target = try await opened(existing)
        let error = await refusal { _ = try await target.begin(TableSchema.people.name) }
        #expect(error?.description.contains("positions stay") == true)
        #expect(try ask("SELECT count(*) FROM SCHEMA.people") == "1", "the rows are there as long as their positions are")

        try connection().script(
            "DROP TRIGGER keep ON \(schema)._shake_positions; CREATE VIEW \(schema).view AS SELECT * FROM \(schema).people")
        let another = try await opened(existing)
        if existing == .replace {
            // The view keeps the table from being dropped.
            let kept = await refusal { _ = try await another.begin(TableSchema.people.name) }
            #expect(kept?.description.contains("depend") == true, "\(String(describing: kept))")
            #expect(try ask("SELECT count(*) FROM SCHEMA.people") == "1")
        } else {
            _ = try await another.begin(TableSchema.people.name)
        }
        #expect(try ask("SELECT count(*) FROM SCHEMA._shake_positions") == "0")
    }

    // MARK: Connections

    private static let pid =
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%SCHEMA%' AND application_name = 'shake'"

    private func terminate() throws {
        _ = try ask("SELECT pg_terminate_backend(pid) FROM (\(Self.pid)) AS p WHERE pid <> pg_backend_pid()")
    }

    @Test("goes on after its connection was cut between two writes, or in the middle of one, and holds it once")
    func cut() async throws {
        let target = try await opened()
        try await target.prepare(.people)
        let first = Feed.batch(.people, first: 1, [.insert(keys: Self.ann, new: Self.ann)])
        _ = try await target.write([first])
        try terminate()
        let second = Feed.batch(.people, first: 2, [.insert(keys: Self.bob, new: Self.bob)])
        try await target.persist([second])
        #expect(try await target.positions(of: TableSchema.people.name).map(\.sequenceNumber) == [Feed.number(2)])

        // In the middle: another session holds the table, so that the write waits for it when it is cut.
        let holder = try connection()
        try holder.script("BEGIN; LOCK TABLE \(schema).people IN ACCESS EXCLUSIVE MODE")
        let third = Feed.batch(.people, first: 3, [.remove(keys: Self.ann), .insert(keys: Self.bob, new: Self.bob)])
        async let written = target.persist([third])
        var looks = 0
        while try ask(
            "SELECT count(*) FROM (\(Self.pid)) p JOIN pg_stat_activity a USING (pid) WHERE a.wait_event_type = 'Lock'")
            == "0"
        {
            looks += 1
            try #require(looks < 2000, "the write does not wait for the table")
            try await Task.sleep(for: .milliseconds(10))
        }
        try terminate()
        try holder.script("COMMIT")
        _ = try await written
        #expect(try ask("SELECT string_agg(hash_key, ',') FROM SCHEMA.people") == "bob")
        #expect(try await target.positions(of: TableSchema.people.name).map(\.sequenceNumber) == [Feed.number(4)])
    }

    @Test("connects anew where its session may only read any more, whatever the server says to a new one")
    func readOnly() async throws {
        let target = try await opened()
        try await target.prepare(.people)
        // As a session that began before its server became a standby's: it stays so.
        try connection().script(
            """
            CREATE FUNCTION \(schema).still() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN PERFORM set_config('default_transaction_read_only', 'on', false); RETURN NULL; END$$;
            CREATE TRIGGER still AFTER INSERT ON \(schema).people EXECUTE FUNCTION \(schema).still();
            """)
        _ = try await target.write([Feed.batch(.people, first: 1, [.insert(keys: Self.ann, new: Self.ann)])])
        let second = [Feed.batch(.people, first: 2, [.insert(keys: Self.bob, new: Self.bob)])]
        let error = await refusal { _ = try await target.write(second) }
        #expect(error?.isRetryable == true && error?.description.contains("read-only") == true)
        _ = try await target.write(second)
        #expect(try ask("SELECT count(*) FROM SCHEMA.people") == "2")
    }

    /// Of the database's own view of who writes: the settings of another's session can't be asked for.
    @Test("waits for the disk on each connection, whatever the server's default")
    func durable() async throws {
        let target = try make(url: "\(Postgres.url())?options=-csynchronous_commit%3Doff%20-cTimeZone%3DAsia/Tokyo")
        try await target.open(recoveringTo: [])
        try await target.prepare(.people)
        _ = try connection().script(
            """
            CREATE TABLE \(schema).seen (settings text);
            CREATE FUNCTION \(schema).see() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN INSERT INTO \(schema).seen VALUES
            (current_setting('synchronous_commit') || ' ' || current_setting('TimeZone')); RETURN NULL; END$$;
            CREATE TRIGGER see AFTER INSERT ON \(schema).people EXECUTE FUNCTION \(schema).see();
            """)
        for number in 1...2 {
            try await target.persist([Feed.batch(.people, first: number, [.insert(keys: Self.ann, new: Self.ann)])])
            try terminate()
        }
        #expect(try ask("SELECT string_agg(settings, ', ') FROM SCHEMA.seen") == "on UTC, on UTC")
    }

    @Test("goes on where the answer was lost that says that a new connection may")
    func claimLost() async throws {
        let address = try ConnectionSettings(url: Postgres.url())
        let proxy = try FaultProxy(to: "\(address.host):\(address.port)")
        let place = try #require(Postgres.url().split(separator: "@").last?.split(separator: "/").first)
        let target = try make(url: Postgres.url().replacing(place, with: "127.0.0.1:\(proxy.port)") + "?sslmode=disable")
        try await target.open(recoveringTo: [])
        try await target.prepare(.people)
        try proxy.say("reset")
        try proxy.say("swallow RETURNING")
        let tries = try await target.persist([Feed.batch(.people, [.insert(keys: Self.ann, new: Self.ann)])])
        #expect(tries >= 2, "no answer was lost")
        #expect(try ask("SELECT count(*) FROM SCHEMA.people") == "1")
        let another = try await opened()
        let error = await refusal { try await target.persist([Feed.batch(.people, first: 2, [.remove(keys: Self.ann)])]) }
        #expect(error?.description.contains("another daemon has taken over") == true)
        await another.close()
    }

    @Test("says what is wrong with an address, and never the password")
    func unreachable() async throws {
        let target = try make(url: "postgres://shake:wr0ng-s3cret@127.0.0.1:1/shake")
        let error = await refusal { try await target.open(recoveringTo: []) }
        #expect(error?.isRetryable == true)
        #expect(error?.description.contains("Connection refused") == true)
        #expect(error?.description.contains("s3cret") == false)
        let broken = #expect(throws: TargetError.self) { try make(url: "postgres://a:wr0ng-s3cret@[/x") }
        #expect(broken?.description.contains("s3cret") == false)
    }

    @Test("verifies the certificate of a server that is not on this machine, unless told otherwise")
    func certificates() throws {
        func parameters(_ url: String) throws -> [String: String] {
            Dictionary(uniqueKeysWithValues: try ConnectionSettings(url: url).parameters.map { ($0.name, $0.value) })
        }
        #expect(try parameters("postgres://db.example.com/a")["sslmode"] == "verify-full")
        #expect(try parameters("postgres://db.example.com/a?sslmode=require")["sslmode"] == "require")
        #expect(try parameters("postgres://127.0.0.1/a")["sslmode"] == nil)
        #expect(try parameters("postgres:///a?host=/run/postgresql")["sslmode"] == nil)
    }
}
