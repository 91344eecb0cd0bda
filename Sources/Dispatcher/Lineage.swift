package import Journal
package import StreamModel

/// Which shards of a stream may be read: parents before children, none that an operator has paused, and nothing else decides.
///
/// Built from the journal's checkpoints and kept in step with them, so that a restart, a listing that comes late and an
/// operator's rewind all lead to the same answer.
package struct Lineage: Sendable {
    package private(set) var checkpoints: [ShardID: Checkpoint] = [:]
    /// Shards that a reader has in its hands.
    package private(set) var running: Set<ShardID> = []
    /// Shards with children that were let go of.
    private var continued: Set<ShardID> = []
    /// Whether the journal knows more shards than these.
    package private(set) var hasForgotten = false

    package init(_ checkpoints: some Sequence<Checkpoint>) {
        for checkpoint in checkpoints { self.checkpoints[checkpoint.shard.shard] = checkpoint }
    }

    /// The journal's word on a shard; an older one than is known changes nothing.
    package mutating func update(_ checkpoint: Checkpoint) {
        guard checkpoint.revision >= checkpoints[checkpoint.shard.shard]?.revision ?? .none else { return }
        checkpoints[checkpoint.shard.shard] = checkpoint
    }

    /// A reader has it in its hands from now on.
    package mutating func took(_ shard: ShardID) { running.insert(shard) }
    /// The reader has ended, however it did.
    package mutating func released(_ shard: ShardID) { running.remove(shard) }

    /// The direct ones that are known and not let go of, in the order of their names.
    package func children(of shard: ShardID) -> [ShardID] {
        checkpoints.values.filter { $0.parent == shard }.map(\.shard.shard).sorted()
    }

    /// Shards that may be read now and that nobody reads, in the order of their names.
    package var eligible: [ShardID] {
        let candidates = checkpoints.values.filter { isEligible($0) }.map(\.shard.shard)
        guard !candidates.isEmpty else { return [] }
        let delayed = ancestorsOfRunning
        return candidates.filter { !delayed.contains($0) }.sorted()
    }

    /// A shard that was set back waits until what is below it has been put down: a batch of a descendant that is still on its
    /// way would come after the first records of the replay.
    private var ancestorsOfRunning: Set<ShardID> {
        var ancestors: Set<ShardID> = []
        for shard in running {
            var next = checkpoints[shard]?.parent
            while let id = next, ancestors.insert(id).inserted { next = checkpoints[id]?.parent }
        }
        return ancestors
    }

    private func isEligible(_ checkpoint: Checkpoint) -> Bool {
        switch checkpoint.status {
        case .done, .notNeeded, .lost: false
        case .notProcessed, .prepared, .inProcessing, .waitingForParent:
            checkpoint.pause == nil && !running.contains(checkpoint.shard.shard) && parentIsFinished(checkpoint)
        }
    }

    /// A parent that the journal has never seen was trimmed before we came: what it held is gone, so it counts as done
    /// (DESIGN 1; FACTS 1.5).
    package func parentIsFinished(_ checkpoint: Checkpoint) -> Bool {
        guard let parent = checkpoint.parent.flatMap({ checkpoints[$0] }) else { return true }
        return parent.status.letsChildrenStart
    }

    /// Lets go of what no decision needs any more, or a table that is followed for years would fill the memory: shards that
    /// are over and that the stream no longer lists. The journal keeps them.
    ///
    /// Kept are those by which the loss of one that is still to be read is measured (up to the nearest that says up to when all
    /// is accounted for), and those that end a line as far as is known: what continues them is no stranger.
    ///
    /// - Parameter listed: the shards of a whole listing.
    /// - Returns: those that were let go of.
    package mutating func forget(allBut listed: Set<ShardID>) -> [ShardID] {
        var kept = listed.union(running)
        for open in checkpoints.values where !open.status.letsChildrenStart {
            kept.insert(open.shard.shard)
            var (next, seen) = (open.parent, Set<ShardID>())
            while let id = next, let parent = checkpoints[id], seen.insert(id).inserted {
                kept.insert(id)
                next = parent.accounted == nil ? parent.parent : nil
            }
        }
        let parents = Set(checkpoints.values.compactMap(\.parent)).union(continued)
        let forgotten = checkpoints.keys.filter { !kept.contains($0) && parents.contains($0) }
        for shard in forgotten {
            if let parent = checkpoints.removeValue(forKey: shard)?.parent { continued.insert(parent) }
        }
        // A dictionary keeps the room that it once needed: after a start, that of all shards there ever were.
        if forgotten.count > checkpoints.count {
            checkpoints = Dictionary(uniqueKeysWithValues: checkpoints.map { ($0.key, $0.value) })
        }
        continued.formIntersection(checkpoints.keys)
        if !forgotten.isEmpty { hasForgotten = true }
        return forgotten
    }

    /// What a listing says that the journal doesn't know yet, parents first.
    ///
    /// - Parameter startAt: where a shard begins whose ancestors are all unknown; every other new shard begins at its
    ///   start, for its records came after something that we already follow (DESIGN 6, `--start-at`).
    package func news(in listing: [Shard], startAt: IteratorType) -> [News] {
        let byID = Dictionary(listing.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return Self.parentsFirst(listing, byID).compactMap { shard in
            guard let checkpoint = checkpoints[shard.id] else {
                let start = followsWhatIsRead(shard, byID) ? .trimHorizon : startAt
                let status: Status? =
                    if start == .latest, shard.range.isClosed {
                        .notNeeded
                    } else if start != .latest, let parent = shard.parent, !isFinished(parent, byID, startAt) {
                        .waitingForParent
                    } else { nil }
                return News(
                    shard: shard.id,
                    discovered: ShardDiscovered(parent: shard.parent, range: shard.range, start: start), status: status)
            }
            // A reader that has it in its hands finds its end by itself; to append beside it would displace it.
            guard shard.range.isClosed, !checkpoint.range.isClosed, !running.contains(shard.id) else { return nil }
            let range = SequenceRange(
                starting: checkpoint.range.starting ?? shard.range.starting, ending: shard.range.ending)
            return News(
                shard: shard.id,
                discovered: ShardDiscovered(
                    parent: checkpoint.parent ?? shard.parent, range: range, start: checkpoint.iteratorType),
                status: nil)
        }
    }

    /// Parents of what is new in a listing that neither it nor the journal has: they may have left the stream, or are still to be
    /// listed.
    package func missingParents(in listing: [Shard]) -> Set<ShardID> {
        Set(strangers(in: listing).compactMap(\.parent))
    }

    /// What of a listing follows nothing that is missing.
    package func connected(_ listing: [Shard]) -> [Shard] {
        var doubtful = Set(strangers(in: listing).map(\.id))
        var count = 0
        while count != doubtful.count {
            count = doubtful.count
            for shard in listing where shard.parent.map(doubtful.contains) == true { doubtful.insert(shard.id) }
        }
        return listing.filter { !doubtful.contains($0.id) }
    }

    private func strangers(in listing: [Shard]) -> [Shard] {
        let listed = Set(listing.map(\.id))
        return listing.filter { shard in
            guard let parent = shard.parent, checkpoints[shard.id] == nil else { return false }
            return checkpoints[parent] == nil && !listed.contains(parent)
        }
    }

    /// What the journal is to learn of one shard of a listing.
    package struct News: Hashable, Sendable {
        package let shard: ShardID
        /// Of a shard that is known: that it is closed, and where it ends.
        package let discovered: ShardDiscovered
        /// What the shard is at once, where that isn't `not_processed`.
        package let status: Status?
    }

    private func isFinished(_ parent: ShardID, _ listing: [ShardID: Shard], _ startAt: IteratorType) -> Bool {
        if let known = checkpoints[parent] { return known.status.letsChildrenStart }
        guard let listed = listing[parent] else { return true }
        return startAt == .latest && listed.range.isClosed && !followsWhatIsRead(listed, listing)
    }

    /// Whether an ancestor is known, or is listed as open: it is to be read first, and all of the shard comes after that. (An open
    /// shard has no descendants, but the pages of a listing are not of one moment.)
    private func followsWhatIsRead(_ shard: Shard, _ listing: [ShardID: Shard]) -> Bool {
        var visited: Set<ShardID> = []
        var next = shard.parent
        while let id = next, visited.insert(id).inserted {
            if checkpoints[id] != nil || listing[id]?.range.isClosed == false { return true }
            next = listing[id]?.parent
        }
        return false
    }

    /// The order of a listing is not promised (FACTS 1.5), and the journal wants a parent before its child.
    private static func parentsFirst(_ listing: [Shard], _ byID: [ShardID: Shard]) -> [Shard] {
        var placed: Set<ShardID> = []
        var order: [Shard] = []
        for shard in listing {
            var line: [Shard] = []
            var next: Shard? = shard
            while let current = next, placed.insert(current.id).inserted {
                line.append(current)
                next = current.parent.flatMap { byID[$0] }
            }
            order += line.reversed()
        }
        return order
    }
}
