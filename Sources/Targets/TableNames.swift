package import StreamModel

/// What a table is called at the target: as it is called at the source, unless something was said.
///
///     tables: {orders: orders_copy}     one by one
///     prefix: eu_                       for all others
package struct TableNames: Hashable, Sendable {
    package static let tables = TargetOption(
        "tables", keysAndValues: "names by names of the source's tables, such as {orders: orders_copy}")
    package static let prefix = TargetOption("prefix", expects: "what stands before each table's name, such as eu_")
    package static let options = [tables, prefix]

    private let named: [String: String]
    private let prefix: String

    package init(_ options: TargetOptions) {
        named = options.values(Self.tables)
        prefix = options.text(Self.prefix) ?? ""
    }

    package subscript(table: TableName) -> String { named[table.text] ?? prefix + table.text }
}
