package import StreamModel

extension Batch {
    /// The shard that the batch comes from; `nil` for rows of a scan and a sweep.
    package var shard: ShardKey? {
        switch origin {
        case .shard(let shard, _, _): shard
        case .scan, .sweep, .repair: nil
        }
    }

    /// A change as an error names it, without anything of the item.
    package func describe(_ change: Change) -> String {
        switch (origin, change.sequenceNumber) {
        case (.shard(let shard, _, _), let number?): "the \(change.kind.rawValue) at \(number) of \(shard)"
        case (.shard(let shard, _, _), nil): "a \(change.kind.rawValue) of \(shard)"
        case (.scan(let position), _): "a row of \(table.name), segment \(position.segment) of the scan"
        case (.repair, _): "a row of \(table.name) that differs from the source's"
        case (.sweep, _): "the removal of a row of \(table.name) that the source has no more"
        }
    }
}
