internal import StreamModel

/// The fold of the whole log, as a writer holds it: every checkpoint, every table, and where the chain ends.
///
/// A value that `Stage` changes in place and takes back.
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

    func checkpoint(_ ordinal: UInt32) -> Checkpoint? {
        ordinal >= 1 && ordinal <= UInt32(shards.count) ? shards[Int(ordinal) - 1].checkpoint : nil
    }

    func children(of ordinal: UInt32) -> [UInt32] { self[ordinal]?.children ?? [] }

    /// Revision and position of a shard's newest event; `ordinal` is known.
    func place(of ordinal: UInt32) -> (Revision, Position) {
        let index = Int(ordinal) - 1
        return (shards[index].checkpoint.revision, shards[index].checkpoint.position)
    }

    func checkpoint(_ key: ShardKey) -> Checkpoint? { ordinals[key].flatMap { self[$0]?.checkpoint } }

    /// - Returns: the new shard's ordinal.
    @discardableResult mutating func add(_ checkpoint: Checkpoint) -> UInt32 {
        shards.append(
            Shard(
                key: checkpoint.shard, checkpoint: checkpoint,
                children: orphans.removeValue(forKey: checkpoint.shard) ?? []))
        let ordinal = UInt32(shards.count)
        ordinals[checkpoint.shard] = ordinal
        link(ordinal, checkpoint.parent)
        return ordinal
    }

    /// `nil` where none is known.
    func parent(of checkpoint: Checkpoint) -> Checkpoint? {
        checkpoint.parent.flatMap { self.checkpoint(Self.key($0, beside: checkpoint.shard)) }
    }

    /// One step of the fold of one shard.
    mutating func apply(_ payload: Payload, to ordinal: UInt32, position: Position, time: Timestamp) throws(Refusal) {
        let index = Int(ordinal) - 1
        let hadParent = shards[index].checkpoint.parent != nil
        try shards[index].checkpoint.apply(payload, position: position, time: time)
        if !hadParent { link(ordinal, shards[index].checkpoint.parent) }
    }

    // MARK: - Taking back

    /// The checkpoint as it was before some steps.
    mutating func restore(_ checkpoint: Checkpoint, ordinal: UInt32) {
        let index = Int(ordinal) - 1
        if checkpoint.parent == nil { unlink(ordinal, shards[index].checkpoint.parent) }
        shards[index].checkpoint = checkpoint
    }

    /// As if the newest shard had not been discovered.
    mutating func removeLast() {
        unlink(UInt32(shards.count), shards.last?.checkpoint.parent)
        guard let shard = shards.popLast() else { return }
        ordinals[shard.key] = nil
        if !shard.children.isEmpty { orphans[shard.key] = shard.children }
    }

    private mutating func unlink(_ ordinal: UInt32, _ parent: ShardID?) {
        guard let parent else { return }
        let key = Self.key(parent, beside: shards[Int(ordinal) - 1].key)
        if let found = ordinals[key] {
            shards[Int(found) - 1].children.removeAll { $0 == ordinal }
        } else {
            orphans[key]?.removeAll { $0 == ordinal }
        }
    }

    // MARK: -

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
