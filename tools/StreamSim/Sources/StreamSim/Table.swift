struct Table: Sendable {
    let definition: TableDefinition
    let stream: String
    var shards: [Shard] = []
    var items: [String: Item] = [:]
    /// Every record of the stream, in the order in which they were made.
    var records: [Record] = []
}
