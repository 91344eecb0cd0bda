package import Journal
package import StreamModel

/// What is done where records are lost: for each table, or for all that nothing is said of.
package struct LossPolicies: Hashable, Sendable {
    package var standard: LossPolicy
    package var tables: [TableName: LossPolicy]

    package init(_ standard: LossPolicy = .stop, tables: [TableName: LossPolicy] = [:]) {
        self.standard = standard
        self.tables = tables
    }

    package subscript(table: TableName) -> LossPolicy { tables[table] ?? standard }

    /// Whether some table may be scanned again by itself.
    package var mayResync: Bool { standard == .resync || tables.values.contains(.resync) }
}
