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

    package init() {}

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
