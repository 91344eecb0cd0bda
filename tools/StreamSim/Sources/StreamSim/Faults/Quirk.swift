/// What some emulator does and the service doesn't (PEERS 2e). The raw value is its name in the control interface.
package enum Quirk: String, CaseIterable, Sendable {
    /// LocalStack and moto: all shards are listed, whatever `ShardFilter` asks for.
    case ignoresShardFilter = "ignores_shard_filter"
    /// LocalStack: a page of a listing begins with the shard that ended the page before it.
    case includesExclusiveStart = "includes_exclusive_start"
    /// LocalStack: an open shard's answer may lack `NextShardIterator`, as if the shard had ended.
    case omitsNextIterator = "omits_next_iterator"
    /// DynamoDB Local: the one shard of a stream never ends.
    case oneShard = "one_shard"
    /// moto, once: of a batch only the first item of each table made a record.
    case dropsBatchItems = "drops_batch_items"
    /// moto: a change that changes nothing makes a record.
    case noChangeMakesRecord = "no_change_makes_record"
    /// moto: `ApproximateCreationDateTime` has a fraction.
    case fractionalTime = "fractional_time"
    /// Seen of the service itself: `ApproximateCreationDateTime` as 1.46480646E9 (API Reference, the example).
    case scientificTime = "scientific_time"
    /// Seen of the service itself: a shard that was only just made says that what it held is trimmed (PEERS row 24).
    case trimmedOnNewShard = "trimmed_on_new_shard"
}
