/// How the service behaves. May be changed at any time.
package struct Settings: Hashable, Sendable {
    /// Of a hundred calls, how many fail with one of `Fault`.
    package var faults = 0
    /// Of a hundred GetRecords calls, how many bring nothing though there is something: that is no end (API Reference).
    package var emptyPages = 0
    /// Shards of a page of DescribeStream, 100 at most.
    package var shardsOfAPage = 100
    /// Records of a page of GetRecords, 1000 at most.
    package var recordsOfAPage = 1000
    /// Items of a page of Scan.
    package var itemsOfAPage = 1000
    /// For how long a new shard is not listed yet, while its parent is shown open (FACTS 1.5), in microseconds.
    package var listingLag: Int64 = 0
    /// How long an iterator lives, in microseconds: 15 minutes (API Reference, GetShardIterator).
    package var iteratorLifetime: Int64 = 15 * 60 * 1_000_000
    /// How long a record is kept, and a shard after it was closed, in microseconds: 24 hours (API Reference, Streams).
    package var retention: Int64 = 24 * 3600 * 1_000_000
    /// The last page of a shard says `"NextShardIterator":null` instead of leaving it out.
    package var spellsEndAsNull = false

    package init() {}
}
