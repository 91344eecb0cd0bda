internal import StreamModel

/// The SQL of what a PostgreSQL target keeps. Pure: text in, text out.
struct PostgresSchema: Hashable, Sendable {
    /// The schema's name.
    let schema: String

    /// Columns that each table has.
    static let reserved: Set<String> = [
        "hash_key", "range_key", "item", "sequence_number", "shard", "epoch", "approximate_time",
    ]

    struct Column: Hashable, Sendable {
        let name: String
        let type: String
        let isRequired: Bool
    }

    static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// With `standard_conforming_strings`, which is on since version 9.1.
    static func literal(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    func place(_ table: String) -> String { "\(Self.quoted(schema)).\(Self.quoted(table))" }

    // MARK: Tables

    static func columns(of table: TableSchema) -> [Column] {
        var columns = [Column(name: "hash_key", type: type(of: table.hash), isRequired: true)]
        if let range = table.range {
            columns.append(Column(name: "range_key", type: type(of: range), isRequired: true))
        }
        return columns + [
            Column(name: "item", type: "jsonb", isRequired: true),
            Column(name: "sequence_number", type: "numeric", isRequired: false),
            Column(name: "shard", type: "text", isRequired: false),
            Column(name: "epoch", type: "bigint", isRequired: false),
            Column(name: "approximate_time", type: "timestamp with time zone", isRequired: false),
        ]
    }

    func create(_ table: TableSchema, as name: String) -> String {
        let columns = Self.columns(of: table).map { column in
            let collation = column.type == "text" && column.name.hasSuffix("_key") ? " COLLATE \"C\"" : ""
            return "\(column.name) \(column.type)\(collation)\(column.isRequired ? " NOT NULL" : "")"
        }
        return "CREATE TABLE IF NOT EXISTS \(place(name)) (\(columns.joined(separator: ", ")),"
            + " PRIMARY KEY (\(Self.keyColumns(of: table).joined(separator: ", "))))"
    }

    func add(_ column: Columns.Column, to name: String) -> String {
        "ALTER TABLE \(place(name)) ADD COLUMN IF NOT EXISTS \(Self.quoted(column.attribute)) \(column.kind.rawValue)"
            + " GENERATED ALWAYS AS (\(column.expression)) STORED"
    }

    /// Values: schema and table. Name, type, whether it is required, and its collation.
    static let describe = """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '', co.collname
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_collation co ON co.oid = a.attcollation
        WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
        """
    /// Values: schema and table. The columns of the primary key, in order.
    static let key = """
        SELECT a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
        WHERE n.nspname = $1 AND c.relname = $2 AND i.indisprimary ORDER BY k.place
        """
    /// Values: schema and table. What kind of relation has the name: r is a table, p a partitioned one.
    static let kind = """
        SELECT c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2
        """

    func isFilled(_ name: String) -> String { "SELECT EXISTS (SELECT 1 FROM \(place(name)))" }
    func drop(_ name: String) -> String { "DROP TABLE \(place(name))" }
    func rename(_ name: String, to other: String) -> String {
        "ALTER TABLE \(place(name)) RENAME TO \(Self.quoted(other))"
    }

    // MARK: Rows

    /// Values: arrays of the keys, of items, sequence numbers, shards, epochs and times.
    ///
    /// An older change of a shard does not go over a newer one of it; what is of another epoch does,
    /// also of an older one: a journal that was restored from before a rewind goes on in that. A row of a scan has no
    /// number, and whoever brings it knows that nothing has changed since.
    func upsert(_ table: TableSchema, as name: String) -> String {
        let names = Self.columns(of: table).map(\.name)
        let keys = Self.keyColumns(of: table)
        let others = names.filter { !keys.contains($0) }
        let arrays =
            Self.arrays(of: table, from: 1) + [
                "$\(keys.count + 1)::jsonb[]", "$\(keys.count + 2)::text[]", "$\(keys.count + 3)::text[]",
                "$\(keys.count + 4)::bigint[]", "$\(keys.count + 5)::text[]",
            ]
        let values = Self.values(of: table) + ["r.i", "r.n::numeric", "r.s", "r.e", "r.t::timestamptz"]
        let row = (keys.count == 2 ? ["h", "k"] : ["h"]) + ["i", "n", "s", "e", "t"]
        return """
            INSERT INTO \(place(name)) AS held (\(names.joined(separator: ", ")))
            SELECT \(values.joined(separator: ", "))
            FROM unnest(\(arrays.joined(separator: ", "))) AS r(\(row.joined(separator: ", ")))
            ON CONFLICT (\(keys.joined(separator: ", "))) DO UPDATE SET
            \(others.map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
            WHERE excluded.sequence_number IS NULL OR held.sequence_number IS NULL
            OR held.shard IS DISTINCT FROM excluded.shard
            OR held.epoch IS DISTINCT FROM excluded.epoch OR held.sequence_number <= excluded.sequence_number
            """
    }

    /// Values: arrays of the keys.
    func delete(_ table: TableSchema, as name: String) -> String {
        let keys = Self.keyColumns(of: table)
        let row = keys.count == 2 ? ["h", "k"] : ["h"]
        let isKey = zip(keys, Self.values(of: table)).map { "held.\($0) = \($1)" }.joined(separator: " AND ")
        return
            "DELETE FROM \(place(name)) AS held USING unnest(\(Self.arrays(of: table, from: 1).joined(separator: ", ")))"
            + " AS r(\(row.joined(separator: ", "))) WHERE \(isKey)"
    }

    /// Values: arrays of the keys. For each key in their order the item, as text.
    func items(_ table: TableSchema, as name: String) -> String {
        let keys = Self.keyColumns(of: table)
        let row = keys.count == 2 ? ["h", "k"] : ["h"]
        let isKey = zip(keys, Self.values(of: table)).map { "held.\($0) = \($1)" }.joined(separator: " AND ")
        return
            "SELECT held.item::text FROM unnest(\(Self.arrays(of: table, from: 1).joined(separator: ", "))) WITH ORDINALITY"
            + " AS r(\((row + ["place"]).joined(separator: ", "))) LEFT JOIN \(place(name)) AS held ON \(isKey)"
            + " ORDER BY r.place"
    }

    /// Values: the limit, and the key's columns of the last row before, where there is one.
    func keys(_ table: TableSchema, as name: String, isFirst: Bool) -> String {
        let columns = Self.keyColumns(of: table)
        let list = columns.joined(separator: ", ")
        let attributes = [table.hash, table.range].compactMap(\.self)
        let after = attributes.enumerated().map { "$\($0 + 2)::\(Self.type(of: $1))" }.joined(separator: ", ")
        // As text, whatever the session's settings say of bytea.
        let values = zip(columns, attributes).map { $1.type == .binary ? "encode(\($0), 'hex')" : "\($0)::text" }
        return "SELECT \(values.joined(separator: ", ")) FROM \(place(name))"
            + (isFirst ? "" : " WHERE (\(list)) > (\(after))") + " ORDER BY \(list) LIMIT $1::bigint"
    }

    static func keyColumns(of table: TableSchema) -> [String] {
        table.range == nil ? ["hash_key"] : ["hash_key", "range_key"]
    }

    static func type(of key: KeyAttribute) -> String {
        switch key.type {
        case .string: "text"
        case .number: "numeric"
        case .binary: "bytea"
        }
    }

    /// Numbers come as text: PostgreSQL's binary format of a numeric is another encoding of their digits.
    private static func arrays(of table: TableSchema, from first: Int) -> [String] {
        [table.hash, table.range].compactMap(\.self).enumerated().map {
            "$\(first + $0)::\($1.type == .binary ? "bytea" : "text")[]"
        }
    }

    private static func values(of table: TableSchema) -> [String] {
        zip(["r.h", "r.k"], [table.hash, table.range].compactMap(\.self)).map {
            $1.type == .number ? "\($0)::numeric" : $0
        }
    }

    // MARK: What Shake remembers

    var createOwn: String {
        """
        CREATE TABLE IF NOT EXISTS \(place("_shake_writer")) (one boolean PRIMARY KEY CHECK (one), generation bigint NOT NULL);
        INSERT INTO \(place("_shake_writer")) VALUES (true, 0) ON CONFLICT DO NOTHING;
        CREATE TABLE IF NOT EXISTS \(place("_shake_positions")) (table_name text NOT NULL, stream text NOT NULL,
        shard text NOT NULL, epoch bigint NOT NULL, sequence_number numeric NOT NULL, PRIMARY KEY (stream, shard));
        CREATE TABLE IF NOT EXISTS \(place("_shake_scan_positions")) (table_name text NOT NULL, segment bigint NOT NULL,
        full_sync bigint NOT NULL, items bigint NOT NULL, PRIMARY KEY (table_name, segment))
        """
    }

    /// Values: the writer's generation. Makes every writer before this one an older one: what they are in the middle of is waited for, and
    /// what they begin ends in an error.
    var takeOver: String {
        "UPDATE \(place("_shake_writer")) SET generation = $1::bigint WHERE one"
    }

    /// Values: the generation that a writer had, and the one that it claims. The same for a writer whose connection was lost; nobody's row
    /// where another has taken over since.
    var goOn: String {
        """
        UPDATE \(place("_shake_writer")) SET generation = $2::bigint
        WHERE one AND generation IN ($1::bigint, $2::bigint) RETURNING true
        """
    }

    /// Values: the writer's generation. Ends in a division by zero unless it is the one in force, so that all of its pipeline is undone; and holds
    /// up whoever would take over until the transaction is at its end.
    var fence: String {
        """
        SELECT 1 / (CASE WHEN EXISTS (SELECT 1 FROM \(place("_shake_writer"))
        WHERE one AND generation = $1::bigint FOR SHARE) THEN 1 ELSE 0 END)
        """
    }

    /// Values: arrays of tables, streams, shards, epochs, sequence numbers.
    var movePositions: String {
        """
        INSERT INTO \(place("_shake_positions")) (table_name, stream, shard, epoch, sequence_number)
        SELECT r.a, r.b, r.c, r.d, r.e::numeric
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[]) AS r(a, b, c, d, e)
        ON CONFLICT (stream, shard) DO UPDATE SET epoch = excluded.epoch, sequence_number = excluded.sequence_number
        """
    }

    /// Values: arrays of tables, segments, full syncs, items.
    var moveScanPositions: String {
        """
        INSERT INTO \(place("_shake_scan_positions")) (table_name, segment, full_sync, items)
        SELECT r.a, r.b, r.c, r.d FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS r(a, b, c, d)
        ON CONFLICT (table_name, segment) DO UPDATE SET full_sync = excluded.full_sync, items = excluded.items
        """
    }

    /// Values: the table.
    var readPositions: String {
        "SELECT stream, shard, epoch, sequence_number::text FROM \(place("_shake_positions")) WHERE table_name = $1"
    }
    var readScanPositions: String {
        "SELECT segment, full_sync, items FROM \(place("_shake_scan_positions")) WHERE table_name = $1"
    }
    /// What is remembered of a table that is another one from now on.
    var forget: [String] {
        ["_shake_positions", "_shake_scan_positions"].map { "DELETE FROM \(place($0)) WHERE table_name = $1" }
    }
}
