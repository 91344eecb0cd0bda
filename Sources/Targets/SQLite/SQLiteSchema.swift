internal import StreamModel

/// The SQL of what a SQLite target keeps. Pure: text in, text out.
///
/// Columns are TEXT or BLOB in a STRICT table, so nothing that is stored is ever converted. The table has a rowid and
/// a unique index on its key: with 1 KB rows and random keys, WITHOUT ROWID was several times slower (docs/TARGETS.md).
enum SQLiteSchema {
    struct Column: Hashable {
        let name: String
        let type: String
        let isRequired: Bool
        /// Its place in the primary key, from 1; 0 for the rest.
        let keyPlace: Int
    }

    /// Why a source table's name can't be that of an SQL table; `nil` if it can.
    static func refusal(of table: TableName) -> String? {
        // SQLite compares names without regard to ASCII case.
        let name = table.text.lowercased()
        if name.hasPrefix("sqlite_") { return "SQLite keeps names that begin with sqlite_ for itself" }
        if name.hasPrefix("_shake_") { return "names that begin with _shake_ are kept for what Shake remembers" }
        return nil
    }

    static func columns(of table: TableSchema) -> [Column] {
        var columns = [Column(name: "hash_key", type: type(of: table.hash), isRequired: true, keyPlace: 1)]
        if let range = table.range {
            columns.append(Column(name: "range_key", type: type(of: range), isRequired: true, keyPlace: 2))
        }
        columns.append(Column(name: "item", type: "TEXT", isRequired: true, keyPlace: 0))
        for name in ["sequence_number", "shard", "approximate_time"] {
            columns.append(Column(name: name, type: "TEXT", isRequired: false, keyPlace: 0))
        }
        return columns
    }

    static func create(_ table: TableSchema) -> String {
        let columns = columns(of: table).map { "\($0.name) \($0.type)\($0.isRequired ? " NOT NULL" : "")" }
        let key = keyColumns(of: table).joined(separator: ", ")
        return "CREATE TABLE IF NOT EXISTS \(quoted(table.name))"
            + " (\(columns.joined(separator: ", ")), PRIMARY KEY (\(key))) STRICT"
    }

    /// Values: the columns in the order of `columns(of:)`.
    static func upsert(_ table: TableSchema) -> String {
        let names = columns(of: table).map(\.name)
        let key = keyColumns(of: table)
        let others = names.filter { !key.contains($0) }
        return "INSERT INTO \(quoted(table.name)) (\(names.joined(separator: ", ")))"
            + " VALUES (\(names.map { _ in "?" }.joined(separator: ", ")))"
            + " ON CONFLICT (\(key.joined(separator: ", "))) DO UPDATE SET "
            + others.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
    }

    static func drop(_ table: TableName) -> String { "DROP TABLE \(quoted(table))" }
    static func rename(_ table: TableName, to other: TableName) -> String {
        "ALTER TABLE \(quoted(table)) RENAME TO \(quoted(other))"
    }
    /// One row: whether there is any.
    static func isFilled(_ table: TableName) -> String { "SELECT EXISTS (SELECT 1 FROM \(quoted(table)))" }
    /// What is remembered of a table that is another one from now on; the value is its name.
    static let forget = ["_shake_positions", "_shake_scan_positions"].map { "DELETE FROM \($0) WHERE table_name = ?" }

    /// Values: the key's columns.
    static func delete(_ table: TableSchema) -> String {
        "DELETE FROM \(quoted(table.name)) WHERE "
            + keyColumns(of: table).map { "\($0) = ?" }.joined(separator: " AND ")
    }

    /// Values: the key's columns, as bytes. As bytes the item comes, as it was written.
    static func item(_ table: TableSchema) -> String {
        let types = [table.hash, table.range].compactMap(\.self).map(type)
        let isKey = zip(keyColumns(of: table), types).map { "\($0) = CAST(? AS \($1))" }
        return "SELECT CAST(item AS BLOB) FROM \(quoted(table.name)) WHERE " + isKey.joined(separator: " AND ")
    }

    /// Values: the key's columns of the last row before, as bytes, where there is one; and how many rows at most. As bytes they come
    /// and go, since a text may hold a zero byte, and its end is not there. The index on the key has all that is asked for.
    static func keys(_ table: TableSchema, isFirst: Bool) -> String {
        let columns = keyColumns(of: table)
        let list = columns.joined(separator: ", ")
        let types = [table.hash, table.range].compactMap(\.self).map(type)
        let after = types.map { "CAST(? AS \($0))" }.joined(separator: ", ")
        return "SELECT \(columns.map { "CAST(\($0) AS BLOB)" }.joined(separator: ", ")) FROM \(quoted(table.name))"
            + (isFirst ? "" : " WHERE (\(list)) > (\(after))") + " ORDER BY \(list) LIMIT ?"
    }

    /// The one applied position of each shard, moved in the transaction of the data (DESIGN 4.5).
    static let positions = [
        Column(name: "table_name", type: "TEXT", isRequired: true, keyPlace: 0),
        Column(name: "stream", type: "TEXT", isRequired: true, keyPlace: 1),
        Column(name: "shard", type: "TEXT", isRequired: true, keyPlace: 2),
        Column(name: "epoch", type: "INTEGER", isRequired: true, keyPlace: 0),
        Column(name: "sequence_number", type: "TEXT", isRequired: true, keyPlace: 0),
    ]
    static let createPositions = """
        CREATE TABLE IF NOT EXISTS _shake_positions (
        table_name TEXT NOT NULL, stream TEXT NOT NULL, shard TEXT NOT NULL,
        epoch INTEGER NOT NULL, sequence_number TEXT NOT NULL, PRIMARY KEY (stream, shard)) STRICT
        """
    static let movePosition = """
        INSERT INTO _shake_positions (table_name, stream, shard, epoch, sequence_number) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (stream, shard) DO UPDATE SET epoch = excluded.epoch, sequence_number = excluded.sequence_number
        """
    static let readPositions = "SELECT stream, shard, epoch, sequence_number FROM _shake_positions WHERE table_name = ?"

    /// How far each segment of a table's last full sync has come, likewise.
    static let scanPositions = [
        Column(name: "table_name", type: "TEXT", isRequired: true, keyPlace: 1),
        Column(name: "segment", type: "INTEGER", isRequired: true, keyPlace: 2),
        Column(name: "full_sync", type: "INTEGER", isRequired: true, keyPlace: 0),
        Column(name: "items", type: "INTEGER", isRequired: true, keyPlace: 0),
    ]
    static let createScanPositions = """
        CREATE TABLE IF NOT EXISTS _shake_scan_positions (
        table_name TEXT NOT NULL, segment INTEGER NOT NULL, full_sync INTEGER NOT NULL, items INTEGER NOT NULL,
        PRIMARY KEY (table_name, segment)) STRICT
        """
    static let moveScanPosition = """
        INSERT INTO _shake_scan_positions (table_name, segment, full_sync, items) VALUES (?, ?, ?, ?)
        ON CONFLICT (table_name, segment) DO UPDATE SET full_sync = excluded.full_sync, items = excluded.items
        """
    static let readScanPositions =
        "SELECT segment, full_sync, items FROM _shake_scan_positions WHERE table_name = ?"

    private static func keyColumns(of table: TableSchema) -> [String] {
        table.range == nil ? ["hash_key"] : ["hash_key", "range_key"]
    }

    private static func type(of key: KeyAttribute) -> String {
        switch key.type {
        case .string, .number: "TEXT"
        case .binary: "BLOB"
        }
    }

    private static func quoted(_ table: TableName) -> String {
        "\"" + table.text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
