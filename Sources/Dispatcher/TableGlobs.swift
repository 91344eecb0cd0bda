package import StreamModel

/// Which tables of the account are followed, where they are not named one by one: those that an `include` matches and no
/// `exclude`.
package struct TableGlobs: Hashable, Sendable {
    package let include: [Glob]
    package let exclude: [Glob]

    package init(include: [Glob], exclude: [Glob] = []) {
        self.include = include
        self.exclude = exclude
    }

    package func selects(_ table: TableName) -> Bool {
        include.contains { $0.matches(table.text) } && !exclude.contains { $0.matches(table.text) }
    }
}
