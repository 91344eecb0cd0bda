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

struct Table: Sendable {
    let definition: TableDefinition
    let stream: String
    var shards: [Shard] = []
    var items: [String: Item] = [:]
    /// Every record of the stream, in the order in which they were made.
    var records: [Record] = []
}

/// One change, as the stream keeps it.
package struct Record: Sendable {
    package let stream: String
    package let shard: String
    package let sequenceNumber: String
    package let keys: [UInt8]
    /// `nil`: the item was removed.
    package let newImage: [UInt8]?
    /// As GetRecords gives it.
    let json: [UInt8]
}

package struct Shard: Sendable {
    package let id: String
    package let parent: String?
    /// Of the items' hashes, which of them are its own.
    let hashes: ClosedRange<UInt64>
    let starting: String
    var ending: String?
    /// When it was made and when it was closed, in microseconds.
    let made: Int64
    var closed: Int64?
    var records: [Record] = []

    package var isClosed: Bool { ending != nil }
}
