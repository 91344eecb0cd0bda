package import Filter
package import StreamModel

/// Which items are copied: for each table, or for all that nothing is said of. Without a filter it is all of them.
package struct TableFilters: Hashable, Sendable {
    package var standard: ItemFilter?
    package var tables: [TableName: ItemFilter]

    package init(_ standard: ItemFilter? = nil, tables: [TableName: ItemFilter] = [:]) {
        self.standard = standard
        self.tables = tables
    }

    package subscript(table: TableName) -> ItemFilter? { tables[table] ?? standard }
}
