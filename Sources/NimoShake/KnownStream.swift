package import StreamModel

/// The stream that a table's shards are of, which NimoShake writes nowhere down.
package struct KnownStream: Hashable, Sendable {
    package var arn: StreamARN
    /// Which table has the name; `nil` where the source was not asked.
    package var tableID: TableID?
    /// Its shards as the source lists them; `nil` where it was not asked.
    package var listing: [Shard]?

    package init(arn: StreamARN, tableID: TableID? = nil, listing: [Shard]? = nil) {
        self.arn = arn
        self.tableID = tableID
        self.listing = listing
    }
}
