internal import DynamoDB
internal import Journal
internal import StreamModel

/// Where the stream is pinned before a table is scanned, or where `--start-at latest` begins.
extension ShardDesk {
    /// Pins LATEST down for shards that are to begin there: from now on their place doesn't move.
    mutating func anchorNew() async throws {
        for checkpoint in lineage.checkpoints.values
        where checkpoint.status == .notProcessed && checkpoint.iteratorType == .latest {
            do {
                try await anchorAtLatest(checkpoint)
            } catch let error as DynamoDBError where error.isNotFound {
                // A listing that shows it is late, or the answer is: tried again with the rest of the table.
                let listing = try await workshop.source.describeStream(stream).shards
                guard !listing.contains(where: { $0.id == checkpoint.shard.shard }) else { throw error }
                _ = try await append([excusing(checkpoint, "gone from the stream before it was anchored")])
            }
        }
    }

    mutating func anchorAtLatest(_ checkpoint: Checkpoint) async throws {
        let asked = workshop.now()
        let iterator = try await workshop.source.iterator(.latest, at: nil, shard: checkpoint.shard)
        let resolved = Payload.iteratorResolved(
            IteratorResolved(
                rule: StartTable.Rule.unanchoredLatest.rawValue, iteratorType: .latest, sequenceNumber: nil,
                iterator: iterator, issued: asked + workshop.source.clockLead))
        let prepared: [Payload] =
            checkpoint.status == .notProcessed
            ? [
                .statusChanged(
                    StatusChanged(from: .notProcessed, to: .prepared, reason: "anchored at the newest record"))
            ] : []
        let draft = Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [resolved] + prepared)
        if try await append([draft]) { handedOver[checkpoint.shard.shard] = iterator }
    }

    /// Makes sure that everything which happens to the table from now on will be read, beside the scan, and nothing older.
    ///
    /// Open shards are pinned at their newest record: their start may leave the stream while the table is scanned. Closed ones
    /// are older than the scan, and so are those that the stream no longer has.
    mutating func anchor(listing: [Shard]) async throws {
        if lineage.checkpoints.isEmpty { startAt = .latest }
        try await admit(listing, isScannedNext: true)
        // What rewinds have brought that the journal has lost comes with the scan, and is not to be read again after it.
        for shard in lineage.checkpoints.keys.sorted() {
            if let checkpoint = lineage.checkpoints[shard] { try await rejoin(checkpoint) }
        }
        try await finishOld(listing)
        for shard in lineage.checkpoints.keys.sorted() {
            guard let checkpoint = lineage.checkpoints[shard], !checkpoint.status.letsChildrenStart,
                handedOver[shard] == nil || checkpoint.iteratorType != .latest
            else { continue }
            if checkpoint.sequenceNumber != nil {
                try await rewind(checkpoint, to: .start, "the table is synced in full again")
            }
            guard let current = lineage.checkpoints[shard], lineage.parentIsFinished(current) else { continue }
            // An anchor that all of the stream still follows serves again.
            if !holdsAllSinceAnchor(current) { try await anchorAtLatest(current) }
        }
    }

    /// What was put aside of shards, those of older streams among them, comes with the scan that follows, as it is by then, or is put
    /// aside again.
    mutating func settleLetters() async throws {
        var isSettled = false
        while !isSettled {
            let letters = try workshop.journal.waitingLetters().filter { $0.table == schema.name && $0.shard != nil }
            isSettled = try await append(
                letters.settling(author: Self.author, reason: "the full sync brings the item as it is now"))
        }
    }

    /// Ends what an earlier sync left unread: the scan that follows holds what it would have brought.
    mutating func finishOld(_ listing: [Shard]) async throws {
        let listed = Dictionary(listing.map { ($0.id, $0.range.isClosed) }, uniquingKeysWith: { $0 || $1 })
        // What has a child is closed, whatever a listing says of it: it may be late (FACTS 1.5).
        let parents = Set(listing.compactMap(\.parent) + lineage.checkpoints.values.compactMap(\.parent))
        var old: [Draft] = []
        for checkpoint in lineage.checkpoints.values where !checkpoint.status.letsChildrenStart {
            let isOver: Bool
            if parents.contains(checkpoint.shard.shard) {
                isOver = true
            } else if let isClosed = listed[checkpoint.shard.shard] {
                isOver = isClosed
            } else if checkpoint.range.isClosed {
                isOver = true
            } else {
                // A listing can be late. What can be read will be.
                isOver = try await isGone(checkpoint.shard)
            }
            if isOver {
                old.append(excusing(checkpoint, "closed or gone; the full sync holds what it would have brought"))
            }
        }
        _ = try await append(old)
    }

    func isGone(_ shard: ShardKey) async throws(DynamoDBError) -> Bool {
        do throws(DynamoDBError) {
            _ = try await workshop.source.iterator(.trimHorizon, at: nil, shard: shard)
            return false
        } catch {
            if error.isNotFound || error.isTrimmed { return true }
            throw error
        }
    }
}
