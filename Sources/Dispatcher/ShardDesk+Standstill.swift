internal import Journal
internal import StreamModel

/// What left the stream while nobody read it: of that the service says nothing.
extension ShardDesk {
    private static let standstill =
        "it was not read for 23 hours or more, and the stream is sure to keep its records for 24 only"

    /// Declares the loss of shards that are to be read from their start, of which nobody has read for longer than the stream
    /// keeps its records: it gives what is left, and says nothing of the rest.
    mutating func loseWhatStoodStill() async throws {
        examined = workshop.now()
        var looked: [ShardID: Revision] = [:]
        var next = eligible[...]
        while let shard = next.popFirst() {
            guard let checkpoint = lineage.checkpoints[shard], looked[shard] != checkpoint.revision else { continue }
            looked[shard] = checkpoint.revision
            if let lost = checkpoint.loss?.lost, lost.policy == .stop {
                // What stopped the table stops it until somebody says how it goes on.
                _ = try await lose(shard, lost.cause, lost.detail)
            } else if try hasStoodStill(checkpoint) {
                _ = try await lose(shard, .stoodStill, Self.standstill)
            } else {
                continue
            }
            // Another shard of the same append may have moved, and this one not.
            if lineage.checkpoints[shard]?.revision == checkpoint.revision { looked[shard] = nil }
            // What is given up lets its children start, and they have stood still with it. Once more, where an operator was quicker
            // than the loss.
            next = eligible[...]
        }
    }

    /// The same loss of all others that have stood still beside a shard or below it: an operator answers once.
    func stopsWith(_ shard: ShardID) throws(JournalError) -> [Draft] {
        var drafts: [Draft] = []
        for checkpoint in unread(beside: shard) where checkpoint.loss == nil {
            guard try hasStoodStill(checkpoint) else { continue }
            let lost = RangeLost(
                cause: .stoodStill, from: checkpoint.sequenceNumber, to: nil, since: checkpoint.accounted,
                policy: .stop, detail: Self.standstill)
            drafts.append(Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [.rangeLost(lost)]))
        }
        return drafts
    }

    /// What stopped the table of other shards, where the scan that one of them is given is the answer for all.
    func resyncsWith(_ shard: ShardID) -> [Draft] {
        unread(beside: shard).compactMap { checkpoint in
            guard let loss = checkpoint.loss, loss.lost.policy == .stop, loss.remedy ?? standing == .resync else {
                return nil
            }
            var lost = loss.lost
            lost.policy = .resync
            return Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [.rangeLost(lost)])
        }
    }

    /// All others that are to be read, and that nobody reads just now.
    private func unread(beside shard: ShardID) -> [Checkpoint] {
        lineage.checkpoints.values.filter {
            $0.shard.shard != shard && !$0.status.letsChildrenStart && !running.contains($0.shard.shard)
        }.sorted { $0.shard < $1.shard }
    }

    /// Shards of a listing whose parents neither it nor the journal knows, though the table was followed before: those came and
    /// went while nobody looked, with all that they held.
    ///
    /// Where somebody looked within a day, a listing is only late.
    func orphans(
        among news: [Lineage.News], _ listing: [Shard]
    ) throws(JournalError) -> [(shard: ShardID, lost: RangeLost)] {
        let listed = Set(listing.map(\.id))
        var orphans: [(shard: ShardID, lost: RangeLost)] = []
        for news in news where news.status != .notNeeded && news.discovered.start == .trimHorizon {
            guard lineage.checkpoints[news.shard] == nil, let parent = news.discovered.parent,
                lineage.checkpoints[parent] == nil, !listed.contains(parent),
                // It may have been let go of.
                try workshop.journal.checkpoint(of: key(parent)) == nil
            else { continue }
            let lost = RangeLost(
                cause: .stoodStill, from: nil, to: nil, since: nil, policy: standing,
                detail: "its parent \(parent) came and went while nobody read the stream")
            orphans.append((news.shard, lost))
        }
        guard !orphans.isEmpty, let last = try lastLook(), workshop.now() - last >= Recovery.surelyHeld else {
            return []
        }
        return orphans
    }

    /// When somebody last followed the stream, as its shards say, or those of the one before where it has none yet; `nil` where
    /// the table was never followed.
    ///
    /// Not when something was last appended: what a process had in its hands when it was suspended comes when it goes on.
    private func lastLook() throws(JournalError) -> Timestamp? {
        // Shards may be read though the stream can't be listed for days.
        if let listed { return listed }
        var known = Array(lineage.checkpoints.values)
        if known.isEmpty { known = try workshop.journal.checkpoints().filter { $0.shard.table == schema.name } }
        var last: Timestamp?
        for checkpoint in known {
            last = [last, checkpoint.accounted, try discovered(checkpoint)?.time].compactMap(\.self).max()
        }
        // What follows a shard that is over would have been seen since.
        let parents = Set(known.compactMap(\.parent))
        let ends = known.filter { $0.status.letsChildrenStart && !parents.contains($0.shard.shard) }
        return [last, ends.map { $0.accounted ?? $0.updated }.min()].compactMap(\.self).min()
    }

    private func hasStoodStill(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        if let declared = checkpoint.lossDeclared, checkpoint.iteratorType == .trimHorizon {
            // What was left when a loss was skipped goes on leaving the stream, until the shard was in step after that.
            guard let until = checkpoint.accountedUntil, until > declared else {
                return workshop.now() - declared >= Recovery.decision
            }
            return workshop.now() - until >= Recovery.surelyHeld
        }
        guard checkpoint.sequenceNumber == nil else { return false }
        switch checkpoint.iteratorType {
        // Not anchored yet: nothing is promised.
        case .latest where checkpoint.storedIterator == nil: return false
        case .latest, .trimHorizon, .atSequenceNumber, .afterSequenceNumber: break
        }
        return try owedSince(checkpoint).map { workshop.now() - $0 >= Recovery.surelyHeld } ?? false
    }

    /// Since when the shard, of which nothing was delivered since its start, has records that are ours to bring.
    private func owedSince(_ checkpoint: Checkpoint) throws(JournalError) -> Timestamp? {
        let begun: Timestamp?
        if case .iterator(_, let obtained)? = checkpoint.storedIterator {
            begun = obtained
        } else if let replayed = try deliveredBeforeReplay(checkpoint) {
            begun = replayed
        } else {
            begun = try wholeSince(checkpoint)
        }
        return [begun, checkpoint.accountedUntil, checkpoint.lossDeclared].compactMap(\.self).max()
    }
}
