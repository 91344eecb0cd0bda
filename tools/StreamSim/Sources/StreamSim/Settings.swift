/// How the service behaves. May be changed at any time. Durations are in microseconds, shares in a hundred.
package struct Settings: Hashable, Sendable {
    /// Of all calls, how many fail with one of `Fault.ofTheMoment`.
    package var faults = 0
    /// Faults of single actions, asked in this order.
    package var faultRules: [FaultRule] = []
    package var quirks: Set<Quirk> = []
    /// The longest wait of the fault `delay`.
    package var longestDelay: Int64 = 20_000_000

    /// Shards that a new stream begins with.
    package var shards = 1
    /// Shards of a page of DescribeStream, 100 at most.
    package var shardsOfAPage = 100
    /// Records of a page of GetRecords, 1000 at most.
    package var recordsOfAPage = 1000
    /// Items of a page of Scan.
    package var itemsOfAPage = 1000
    /// Of the GetRecords calls that could bring something, how many bring nothing: that is no end (API Reference).
    package var emptyPages = 0
    /// How many bring less than they could.
    package var shortPages = 0
    /// For how long a new shard is not listed yet, while its parent is shown open (FACTS 1.5).
    package var listingLag: Int64 = 0
    /// Of the pages of a listing, how many show a parent open beside its children, or closed without them (FACTS 1.5).
    package var contradictoryListings = 0
    /// Shards are listed in no order of time, which nobody promises (FACTS 1.5).
    package var shuffledListings = false
    /// How long an iterator lives: 15 minutes (API Reference, GetShardIterator).
    package var iteratorLifetime: Int64 = 15 * 60 * 1_000_000
    /// How long a record is kept, and a shard after it was closed: 24 hours (API Reference, Streams).
    package var retention: Int64 = 24 * 3600 * 1_000_000
    /// The last page of a shard says `"NextShardIterator":null` instead of leaving it out.
    package var spellsEndAsNull = false
    /// Of a batch's items, how many come back unprocessed.
    package var unprocessedItems = 0
    /// Tables whose items can't be read or written, as if they had used up what they may.
    package var throttledTables: Set<Text> = []
    /// How long a table is CREATING or UPDATING, and a stream ENABLING, with no record of what is written meanwhile.
    package var tableDelay: Int64 = 0

    package init() {}
}
