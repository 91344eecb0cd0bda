internal import StreamModel

/// The fold of the whole log, as a writer holds it: every checkpoint, every table, and where the chain ends.
struct LogState: Sendable {
    struct Shard: Sendable {
        let key: ShardKey
        fileprivate(set) var checkpoint: Checkpoint
        /// Ordinal of the parent; `nil` while the log knows none.
        fileprivate(set) var parent: UInt32?
        /// Ordinals of the shards whose parent this is.
        fileprivate(set) var children: [UInt32] = []
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

    /// A shard as its first event leaves it, under the next ordinal.
    mutating func add(_ checkpoint: Checkpoint) {
        let (ordinal, key) = (UInt32(shards.count + 1), checkpoint.shard)
        shards.append(Shard(key: key, checkpoint: checkpoint))
        ordinals[key] = ordinal
        if !orphans.isEmpty, let children = orphans.removeValue(forKey: key) {
            shards[Int(ordinal) - 1].children = children
            for child in children { shards[Int(child) - 1].parent = ordinal }
        }
        link(ordinal)
    }

    /// Undoes the last `add`.
    mutating func removeLast() {
        let ordinal = UInt32(shards.count)
        unlink(ordinal)
        let shard = shards.removeLast()
        ordinals[shard.key] = nil
        guard !shard.children.isEmpty else { return }
        for child in shard.children { shards[Int(child) - 1].parent = nil }
        orphans[shard.key] = shard.children
    }

    /// One step of the fold of one shard.
    mutating func apply(_ payload: Payload, to ordinal: UInt32, position: Position, time: Timestamp) throws(Refusal) {
        let index = Int(ordinal) - 1
        let hadParent = shards[index].checkpoint.parent != nil
        try shards[index].checkpoint.apply(payload, position: position, time: time)
        if !hadParent { link(ordinal) }
    }

    /// Undoes the steps since the shard's checkpoint was this one. What was changed last is undone first.
    mutating func restore(_ checkpoint: Checkpoint, of ordinal: UInt32) {
        if checkpoint.parent == nil { unlink(ordinal) }
        shards[Int(ordinal) - 1].checkpoint = checkpoint
    }

    /// Shards and tables that stand elsewhere here than in `older`.
    func differences(from older: LogState) -> Set<Subject> {
        let shards = shards.lazy.filter { older.checkpoint($0.key)?.position != $0.checkpoint.position }
        let tables = tables.values.lazy.filter { older.tables[$0.table]?.position != $0.position }
        return Set(shards.map { .shard($0.key) }).union(tables.map { .table($0.table) })
    }

    /// Ties a shard to its parent, or leaves it to wait for one.
    private mutating func link(_ ordinal: UInt32) {
        guard let key = parentKey(of: ordinal) else { return }
        if let parent = ordinals[key] {
            shards[Int(ordinal) - 1].parent = parent
            shards[Int(parent) - 1].children.append(ordinal)
        } else {
            orphans[key, default: []].append(ordinal)
        }
    }

    /// Undoes `link`.
    private mutating func unlink(_ ordinal: UInt32) {
        guard let key = parentKey(of: ordinal) else { return }
        if let parent = shards[Int(ordinal) - 1].parent {
            shards[Int(ordinal) - 1].parent = nil
            shards[Int(parent) - 1].children.removeAll { $0 == ordinal }
        } else {
            orphans[key]?.removeAll { $0 == ordinal }
        }
    }

    private func parentKey(of ordinal: UInt32) -> ShardKey? {
        let checkpoint = shards[Int(ordinal) - 1].checkpoint
        return checkpoint.parent.map {
            ShardKey(table: checkpoint.shard.table, stream: checkpoint.shard.stream, shard: $0)
        }
    }
}
