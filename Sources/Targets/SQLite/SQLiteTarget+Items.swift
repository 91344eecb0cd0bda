internal import FoundationEssentials
internal import GRDB
package import StreamModel

/// What a comparison reads.
extension SQLiteTarget {
    package func items(
        under keys: [CanonicalKey], of table: TableSchema
    ) async throws(TargetError) -> [[UInt8]?]? {
        try access("reading rows of \(table.name)") { database in
            let statement = try database.cachedStatement(sql: SQLiteSchema.item(table))
            return try keys.map { key in
                let values = [key.hash, key.range].compactMap(\.self).map { Data($0) }
                return try Data.fetchOne(statement, arguments: StatementArguments(values)).map { Array($0) }
            }
        }
    }
}
