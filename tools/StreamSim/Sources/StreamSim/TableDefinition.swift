/// What a table is made of.
package struct TableDefinition: Hashable, Sendable {
    package let name: String
    /// Its hash key is `id` (S); with a sort key that is `at` (N).
    package let hasSortKey: Bool
    /// Shards that its stream begins with.
    package let shards: Int

    package init(name: String, hasSortKey: Bool, shards: Int) {
        self.name = name
        self.hasSortKey = hasSortKey
        self.shards = shards
    }
}
