internal import Simdjson
package import StreamModel

/// The tables that a target was told to prepare, with what is made once for each to read its keys.
package struct PreparedTables {
    private final class Table {
        let schema: TableSchema
        var keys: KeyReader

        init(_ schema: TableSchema) {
            self.schema = schema
            keys = KeyReader(schema)
        }
    }

    private var tables: [TableName: Table] = [:]
    /// Whose items each place at the target is for.
    private var owners: [String: TableName] = [:]

    package init() {}

    /// Takes a place at the target for a table's items, before anything in it is touched.
    ///
    /// - Returns: why it can't, and what to do: two tables in one place would remove each other's items.
    package mutating func claim(_ place: String, for table: TableName) -> String? {
        let owner = owners[place, default: table]
        guard owner == table else {
            return "the tables \(owner) and \(table) would both be kept as \(place): name another place for one of them, as "
                + "target.tables.\(table)"
        }
        owners[place] = table
        return nil
    }

    package mutating func add(_ table: TableSchema) { tables[table.name] = Table(table) }

    /// Of each batch the rows that a target that keeps state must write: of each key the last change, checked for what it needs.
    ///
    /// - Throws: `.misconfigured` for a table that was not prepared with this key; `.unwritable` for a key that is none, and for a
    ///   change without a new image.
    package func rows(of batches: [Batch], target: String) throws(TargetError) -> [[Collapse.Row]] {
        let tables = try batches.map { (batch) throws(TargetError) in
            guard let table = self.tables[batch.table.name], table.schema == batch.table else {
                throw .misconfigured(
                    target: target, reason: "the table \(batch.table.name) was not prepared with this key schema")
            }
            return table
        }
        let rows = try Collapse.lastChanges(of: batches) { (batch, part, change) throws(TargetError) in
            do {
                return try CanonicalKey(try tables[batch].keys.key(in: change.keys, of: part.body))
            } catch {
                throw .unwritable(
                    target: target, what: batches[batch].describe(change), reason: "\(error)", change: change)
            }
        }
        for (rows, batch) in zip(rows, batches) { try batch.checkImages(of: rows, target: target) }
        return rows
    }
}
