internal import StreamModel

/// The fold of the whole log, as a writer holds it: where the chain ends, every table, and the checkpoints that can go on.
///
/// Of a shard that is over, and of which nobody speaks, only its place in the lineage is held: the journal may know millions.
/// Whoever appends to one has it `hold` before; what is over once the append is durable is let go of again.
struct LogState: Sendable {
    /// A shard's place in the lineage: all that is held of each.
    private struct Line {
        /// Ordinal of the parent; 0 while the log knows none.
        var parent: UInt32 = 0
        /// Place in `held`, plus one; 0: it isn't held.
        var slot: UInt32 = 0
        var letsChildrenStart = false
    }

    private struct Held {
        let ordinal: UInt32
        var checkpoint: Checkpoint
    }

    /// By ordinal - 1.
    private var lines: [Line] = []
    private var held: [Held] = []
    /// Of those that are held.
    private var ordinals: [ShardKey: UInt32] = [:]
    /// Children that were seen before their parent.
    private var orphans: [ShardKey: [UInt32]] = [:]
    var tables: [TableName: TableState] = [:]
    var last = Position.origin
    var chain = ChainHash.zero
    /// Whether records were ever said to be durable in the target.
    private var claimsRecords = false
    /// Whether the target holds anything by another program's word: no position in it can speak against that.
    private(set) var claimsImports = false

    /// How many shards the log knows.
    var shardCount: Int { lines.count }

    /// Whether anything is said to be durable in the target.
    var claimsData: Bool { claimsRecords || claimsImports || tables.values.contains { $0.items > 0 } }

    /// Ordinal of a shard that is held.
    func ordinal(of key: ShardKey) -> UInt32? { ordinals[key] }

    /// What is known of a shard, which is held.
    subscript(ordinal: UInt32) -> Checkpoint {
        _read { yield held[slot(ordinal)].checkpoint }
        _modify { yield &held[slot(ordinal)].checkpoint }
    }

    /// Shards that are not over, by ordinal.
    var open: [UInt32] { held.lazy.filter { !$0.checkpoint.status.letsChildrenStart }.map(\.ordinal) }

    func isHeld(_ ordinal: UInt32) -> Bool { lines[Int(ordinal) - 1].slot > 0 }
    func letsChildrenStart(_ ordinal: UInt32) -> Bool { lines[Int(ordinal) - 1].letsChildrenStart }

    /// Ordinal of a shard's parent; `nil` while the log knows none.
    func parent(of ordinal: UInt32) -> UInt32? {
        let parent = lines[Int(ordinal) - 1].parent
        return parent == 0 ? nil : parent
    }

    /// Ordinals of the shards whose parent this is. Looks at each shard there is: asked for where one is set back.
    func children(of ordinal: UInt32) -> [UInt32] {
        lines.indices.lazy.filter { lines[$0].parent == ordinal }.map { UInt32($0 + 1) }
    }

    /// Ordinals of those that were seen before this parent of theirs.
    func orphans(of key: ShardKey) -> [UInt32] { orphans.isEmpty ? [] : orphans[key] ?? [] }

    private func slot(_ ordinal: UInt32) -> Int {
        let slot = lines[Int(ordinal) - 1].slot
        precondition(slot > 0, "shard number \(ordinal) is asked for, and is not held")
        return Int(slot) - 1
    }

    // MARK: - What is held

    /// Holds a shard that the log knows, as it is kept.
    mutating func hold(_ checkpoint: Checkpoint, _ ordinal: UInt32) {
        guard !isHeld(ordinal) else { return }
        held.append(Held(ordinal: ordinal, checkpoint: checkpoint))
        ordinals[checkpoint.shard] = ordinal
        lines[Int(ordinal) - 1].slot = UInt32(held.count)
    }

    /// Lets go of a shard, if it is over.
    mutating func release(_ ordinal: UInt32) {
        let index = Int(ordinal) - 1
        guard lines[index].slot > 0, lines[index].letsChildrenStart else { return }
        let slot = Int(lines[index].slot) - 1
        ordinals[held[slot].checkpoint.shard] = nil
        held.swapAt(slot, held.count - 1)
        lines[Int(held[slot].ordinal) - 1].slot = UInt32(slot + 1)
        held.removeLast()
        lines[index].slot = 0
    }

    // MARK: - Folding

    /// The next shard as it is kept, or as its first event leaves it. It is held until it is let go of.
    ///
    /// - Parameter parent: ordinal of its parent, if the log knows it.
    mutating func add(_ checkpoint: Checkpoint, parent: UInt32?) {
        let (ordinal, key) = (UInt32(lines.count + 1), checkpoint.shard)
        lines.append(Line(letsChildrenStart: checkpoint.status.letsChildrenStart))
        hold(checkpoint, ordinal)
        note(checkpoint)
        if !orphans.isEmpty, let children = orphans.removeValue(forKey: key) {
            for child in children { lines[Int(child) - 1].parent = ordinal }
        }
        link(ordinal, to: parent)
    }

    /// Undoes the last `add`, of a shard that is held.
    mutating func removeLast() {
        let ordinal = UInt32(lines.count)
        unlink(ordinal)
        let key = self[ordinal].shard
        let children = children(of: ordinal)
        lines[Int(ordinal) - 1].letsChildrenStart = true
        release(ordinal)
        lines.removeLast()
        guard !children.isEmpty else { return }
        for child in children { lines[Int(child) - 1].parent = 0 }
        orphans[key] = children
    }

    /// One step of the fold of one shard, which is held, as is the parent that it may name.
    mutating func apply(_ payload: Payload, to ordinal: UInt32, position: Position, time: Timestamp) throws(Refusal) {
        let slot = slot(ordinal)
        let hadParent = held[slot].checkpoint.parent != nil
        try held[slot].checkpoint.apply(payload, position: position, time: time)
        lines[Int(ordinal) - 1].letsChildrenStart = held[slot].checkpoint.status.letsChildrenStart
        note(held[slot].checkpoint)
        if !hadParent, let key = parentKey(of: ordinal) { link(ordinal, to: ordinals[key]) }
    }

    private mutating func note(_ checkpoint: Checkpoint) {
        claimsRecords = claimsRecords || checkpoint.records > 0
        claimsImports = claimsImports || checkpoint.importedSince != nil
    }

    /// Undoes the steps since the shard's checkpoint was this one. What was changed last is undone first.
    mutating func restore(_ checkpoint: Checkpoint, of ordinal: UInt32) {
        if checkpoint.parent == nil { unlink(ordinal) }
        self[ordinal] = checkpoint
        lines[Int(ordinal) - 1].letsChildrenStart = checkpoint.status.letsChildrenStart
    }

    /// Ties a shard to its parent, or leaves it to wait for one.
    private mutating func link(_ ordinal: UInt32, to parent: UInt32?) {
        guard let key = parentKey(of: ordinal) else { return }
        if let parent {
            lines[Int(ordinal) - 1].parent = parent
        } else {
            orphans[key, default: []].append(ordinal)
        }
    }

    /// Undoes `link`.
    private mutating func unlink(_ ordinal: UInt32) {
        guard let key = parentKey(of: ordinal) else { return }
        if lines[Int(ordinal) - 1].parent > 0 {
            lines[Int(ordinal) - 1].parent = 0
        } else {
            orphans[key]?.removeAll { $0 == ordinal }
        }
    }

    /// Of a shard that is held.
    private func parentKey(of ordinal: UInt32) -> ShardKey? { self[ordinal].parentKey }
}

extension Checkpoint {
    /// The parent's whole name.
    var parentKey: ShardKey? { parent.map { ShardKey(table: shard.table, stream: shard.stream, shard: $0) } }
}
