package import Journal
package import StreamModel
internal import Targets

/// The invariants of DESIGN 7, asked at every write and at every rest. Facts in, violations out.
package struct Judge: Sendable {
    /// Where the reading of a shard may begin, besides at its first record: how many of its records are older than the anchor
    /// or have left the stream. What lies before is not owed.
    package var owedFrom: [ShardKey: Int] = [:]

    package init() {}

    /// What may excuse that a record was skipped.
    package struct Excuses: Sendable {
        /// So many of the shard's records have left the stream.
        package var gone = 0
        /// So many of them had been made before the journal knew of the shard, where it knows of no parent of it either.
        package var foreign = 0
        /// Whether the journal has declared a loss of the shard.
        package var isDeclared = false

        package init() {}

        /// Whether the record at a place may be missing.
        func cover(_ place: Int) -> Bool { place < gone && (isDeclared || place < foreign) }
    }

    // MARK: - At a write

    /// - Parameters:
    ///   - start: the place of the first record that a shard without a sequence number still has to bring.
    ///   - checkpoint: what the journal says at this moment.
    package func violations(
        of entry: Disk.Entry, beginningAt start: Int, _ excuses: Excuses, on disk: Disk, _ truth: Truth,
        _ checkpoint: (ShardKey) -> Checkpoint?
    ) -> [String] {
        guard case .shard(let shard, let epoch, _) = entry.origin else { return [] }
        guard let current = checkpoint(shard) else { return ["\(shard): written without a checkpoint"] }
        guard let log = truth.shards[shard] else { return ["\(shard): written, and the source has no record of it"] }
        var found: [String] = []

        let places = entry.changes.compactMap { $0.row.change.flatMap { truth.place(of: $0) } }
        if places.count != entry.changes.count { found.append("\(shard): a record that the source never made") }
        for (change, place) in zip(entry.changes, places) {
            let record = log.records[place]
            if change.item != record.item || change.row.image != record.image {
                found.append("\(shard): record \(record.number) is not as it was made")
            }
        }
        if zip(places, places.dropFirst()).contains(where: { pair in pair.0 + 1 != pair.1 }) {
            found.append("\(shard): a batch with a gap, or out of order: \(places)")
        }
        // What an operator's rewind has overtaken is read again from there.
        if epoch == current.epoch, let first = places.first {
            found += gap(before: first, start, excuses, log, current, disk.holds[shard] ?? [])
            if let parent = current.parent.flatMap({
                checkpoint(ShardKey(table: shard.table, stream: shard.stream, shard: $0))
            }),
                !parent.status.letsChildrenStart
            {
                found.append("\(shard): written while its parent \(parent.shard.shard) is \(parent.status.rawValue)")
            }
        }
        return found + steps(back: entry, on: disk, truth, checkpoint)
    }

    /// Loss: a batch begins where the journal stands, or at what is owed.
    private func gap(
        before first: Int, _ start: Int, _ excuses: Excuses, _ log: Truth.Log, _ current: Checkpoint,
        _ held: Set<SequenceNumber>
    ) -> [String] {
        let expected: Int
        if let number = current.sequenceNumber, let place = log.places[number] {
            expected = current.iteratorType == .atSequenceNumber ? place : place + 1
        } else {
            expected = start
        }
        guard first > expected else { return [] }
        // What a replay can't bring any more was brought before it.
        let skipped = (expected..<first).filter { place in
            !excuses.cover(place) && !(place < excuses.gone && held.contains(log.records[place].number))
        }
        return skipped.isEmpty ? [] : ["\(current.shard): records \(skipped) of \(expected)..<\(first) are skipped"]
    }

    /// Order: a change is not written over a newer one that the journal claims.
    private func steps(
        back entry: Disk.Entry, on disk: Disk, _ truth: Truth, _ checkpoint: (ShardKey) -> Checkpoint?
    ) -> [String] {
        var rows: [Disk.ItemID: Disk.Origin] = [:]
        return entry.changes.compactMap { written in
            guard let change = written.row.change, let record = truth.record(change) else { return nil }
            defer { rows[written.item] = change }
            guard let before = rows[written.item] ?? disk.rows[written.item]?.change,
                let newer = truth.record(before), newer.ordinal > record.ordinal,
                checkpoint(before.shard)?.claims(before.number) == true
            else { return nil }
            return "\(change.shard): change \(record.ordinal) of an item is written over change \(newer.ordinal)"
        }
    }

    // MARK: - At rest

    /// Invariant 4: whatever the journal claims, the target holds.
    package func unfounded(
        _ checkpoints: [Checkpoint], on disk: Disk, _ truth: Truth, _ excuses: (ShardKey) -> Excuses
    ) -> [String] {
        checkpoints.compactMap { checkpoint in
            guard let number = checkpoint.sequenceNumber, let log = truth.shards[checkpoint.shard],
                let place = log.places[number]
            else { return nil }
            let end = checkpoint.iteratorType == .atSequenceNumber ? place : place + 1
            let holds = disk.holds[checkpoint.shard] ?? []
            let start = owedFrom[checkpoint.shard] ?? 0
            let excuses = excuses(checkpoint.shard)
            guard start < end,
                let missing = (start..<end).first(where: {
                    !holds.contains(log.records[$0].number) && !excuses.cover($0)
                })
            else { return nil }
            return "\(checkpoint.shard): the journal is at \(number), and the target does not hold record \(missing)"
        }
    }

    /// Whether some record of a table is missing and excused, so that the target can't equal the source.
    package func hasExcused(of table: TableName, on disk: Disk, _ truth: Truth, _ excuses: (ShardKey) -> Excuses)
        -> Bool
    {
        truth.shards.contains { shard, log in
            guard shard.table == table else { return false }
            let (holds, excuses) = (disk.holds[shard] ?? [], excuses(shard))
            return log.records.indices.contains { !holds.contains(log.records[$0].number) && excuses.cover($0) }
        }
    }

    /// Invariant 1: every record that is owed is in the target.
    package func lost(on disk: Disk, _ truth: Truth, _ excuses: (ShardKey) -> Excuses) -> [String] {
        truth.shards.keys.sorted().compactMap { shard in
            guard let log = truth.shards[shard] else { return nil }
            let holds = disk.holds[shard] ?? []
            let excuses = excuses(shard)
            let missing = log.records.indices[min(owedFrom[shard] ?? 0, log.records.count)...].filter {
                !holds.contains(log.records[$0].number) && !excuses.cover($0)
            }
            guard let first = missing.first else { return nil }
            return "\(shard): \(missing.count) records are lost, the first is \(log.records[first].number)"
        }
    }
}

extension Checkpoint {
    /// Whether it says that the record is durable in the target.
    fileprivate func claims(_ number: SequenceNumber) -> Bool {
        guard let own = sequenceNumber else { return false }
        return iteratorType == .atSequenceNumber ? number < own : number <= own
    }
}
