internal import StreamModel

/// The fold of the whole log, as a writer holds it: every checkpoint, every table, and where the chain ends.
///
/// A value: an append is folded into a copy of what it touches, and taken over when it is durable.
struct LogState: Sendable {
    struct Shard: Sendable {
        let key: ShardKey
        var checkpoint: Checkpoint
        /// Ordinals of the shards whose parent this is.
        var children: [UInt32] = []
    }

    /// By ordinal - 1.
    private(set) var shards: [Shard] = []
    private(set) var ordinals: [ShardKey: UInt32] = [:]
    /// Children that were seen before their parent.
    private var orphans: [ShardKey: [UInt32]] = [:]
    var tables: [TableName: TableState] = [:]
    var last = Position.origin
    var chain = ChainHash.zero

    subscript(ordinal: UInt32) -> Shard? {
        ordinal >= 1 && ordinal <= UInt32(shards.count) ? shards[Int(ordinal) - 1] : nil
    }

    /// Whether anything is said to be durable in the target.
    var claimsData: Bool {
        shards.contains { $0.checkpoint.records > 0 } || tables.values.contains { $0.items > 0 }
    }

    func checkpoint(_ key: ShardKey) -> Checkpoint? { ordinals[key].flatMap { self[$0]?.checkpoint } }

    mutating func set(_ checkpoint: Checkpoint, ordinal: UInt32) {
        if Int(ordinal) == shards.count + 1 {
            shards.append(Shard(key: checkpoint.shard, checkpoint: checkpoint))
            ordinals[checkpoint.shard] = ordinal
            shards[Int(ordinal) - 1].children = orphans.removeValue(forKey: checkpoint.shard) ?? []
            link(ordinal, checkpoint.parent)
        } else {
            let hadParent = shards[Int(ordinal) - 1].checkpoint.parent
            shards[Int(ordinal) - 1].checkpoint = checkpoint
            if hadParent == nil { link(ordinal, checkpoint.parent) }
        }
    }

    /// One step of the fold of one shard.
    mutating func apply(_ payload: Payload, to ordinal: UInt32, position: Position, time: Timestamp) throws(Refusal) {
        let index = Int(ordinal) - 1
        let hadParent = shards[index].checkpoint.parent != nil
        try shards[index].checkpoint.apply(payload, position: position, time: time)
        if !hadParent { link(ordinal, shards[index].checkpoint.parent) }
    }

    /// Shards that stand elsewhere here than in `older`.
    func differences(from older: LogState) -> Set<ShardKey> {
        Set(shards.lazy.filter { older.checkpoint($0.key)?.position != $0.checkpoint.position }.map(\.key))
    }

    private mutating func link(_ ordinal: UInt32, _ parent: ShardID?) {
        guard let parent else { return }
        let key = Self.key(parent, beside: shards[Int(ordinal) - 1].key)
        if let found = ordinals[key] {
            shards[Int(found) - 1].children.append(ordinal)
        } else {
            orphans[key, default: []].append(ordinal)
        }
    }

    private static func key(_ shard: ShardID, beside other: ShardKey) -> ShardKey {
        ShardKey(table: other.table, stream: other.stream, shard: shard)
    }
}
