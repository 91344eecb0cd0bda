internal import Journal
internal import StreamModel

/// Since when the records of a shard are ours to bring, as far as the journal can say.
extension ShardDesk {
    /// Whether the stream is sure to hold every record that was ours of the shard: since its parent's last one, or since the
    /// journal knows it.
    func isWhole(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        try wholeSince(checkpoint).map { workshop.now() - $0 < Recovery.surelyHeld } ?? false
    }

    /// Up to when all that came before the shard is accounted for: by its parent, or where nothing is known of that, by
    /// the one above. What is at the top was ours since the journal knows it.
    func wholeSince(_ checkpoint: Checkpoint) throws(JournalError) -> Timestamp? {
        var (top, seen): (Checkpoint, Set<ShardID>) = (checkpoint, [checkpoint.shard.shard])
        while let parent = top.parent.flatMap({ lineage.checkpoints[$0] }), seen.insert(parent.shard.shard).inserted {
            if let accounted = parent.accounted {
                // One that needed no reading says so of the time before its child was known; it may have been noticed late.
                if parent.status == .notNeeded, let known = try discovered(top)?.time { return min(accounted, known) }
                // One that is known by its anchor alone may have been closed before that: its child is older than the anchor then.
                if parent.readUntil == nil, parent.range.isClosed, let first = try discovered(parent) {
                    return min(accounted, first.time)
                }
                return accounted
            }
            // It was gone: it has been closed for a day at least, and its child there for as long.
            if parent.status == .lost { return Timestamp(microseconds: 0) }
            // What follows it came after that.
            if let first = try discovered(parent), first.isOpen { return first.time }
            top = parent
        }
        return try discovered(top)?.time
    }

    /// When the journal learned of the shard, and whether it was seen to be open then.
    func discovered(_ checkpoint: Checkpoint) throws(JournalError) -> (time: Timestamp, isOpen: Bool)? {
        let beginning = try workshop.journal.history(of: checkpoint.shard, HistoryQuery(limit: 2))
        guard let first = beginning.first else { return nil }
        // Another program knew it before, and may have stood still since long ago.
        if case .imported(let imported)? = beginning.last?.payload {
            return (imported.owedSince ?? Timestamp(microseconds: 0), false)
        }
        // What is left of folded events begins with the first of them, and doesn't say how it was seen.
        guard case .shardDiscovered(let event) = first.payload else {
            return (first.payload.since ?? first.time, false)
        }
        return (first.time, !event.range.isClosed)
    }

    /// Whether what left the stream of a shard was made before the journal knew of it: a fresh start brings what is there.
    func neverWasOurs(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        guard fresh.contains(checkpoint.shard.shard) else { return false }
        return try isWhole(checkpoint)
    }

    /// Whether a shard begins at LATEST, and what has left the stream since was made before that.
    func holdsAllSinceAnchor(_ checkpoint: Checkpoint) -> Bool {
        guard case .iterator(_, let obtained)? = checkpoint.storedIterator else { return false }
        return workshop.now() - obtained < Recovery.surelyHeld
    }

    /// Whether what left the stream of a shard was delivered before an operator set it back to its start: a replay brings what
    /// is still there.
    func isReplay(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        try deliveredBeforeReplay(checkpoint).map { workshop.now() - $0 < Recovery.surelyHeld } ?? false
    }

    /// Up to when all was delivered that an operator's rewind to the start brings again; `nil` where there was none.
    func deliveredBeforeReplay(_ checkpoint: Checkpoint) throws(JournalError) -> Timestamp? {
        guard checkpoint.sequenceNumber == nil, checkpoint.epoch > .first else { return nil }
        let history = try workshop.journal.history(of: checkpoint.shard, HistoryQuery(kinds: DeliveredUntil.kinds))
        return DeliveredUntil(history).time
    }
}

extension Checkpoint {
    /// Up to when all that was made is in the target, as what was read of the shard says.
    var readUntil: Timestamp? { [approximateTime, accountedUntil].compactMap(\.self).max() }

    /// Up to when all that was made is in the target, or was never ours to bring, as far as the journal can say.
    var accounted: Timestamp? {
        var times = [readUntil]
        if case .iterator(_, let obtained)? = storedIterator { times.append(obtained) }
        // It was said to be older than the anchor that is pinned then; or another program said so, who knows when.
        if status == .notNeeded { times.append(importedSince ?? updated) }
        return times.compactMap(\.self).max()
    }
}
