internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel

/// What the stream no longer has: whether it was ours, and what is done about it.
extension ShardDesk {
    /// What is lost again as soon as this after a loss was skipped is the same loss.
    private static let sameLoss: Duration = .seconds(60)

    /// Declares that the stream no longer has what the shard needs, and does as the table's policy says.
    ///
    /// - Throws: `DaemonError.rangeLost` where the table can't go on as it is.
    mutating func lose(_ shard: ShardID, _ cause: LossCause, _ detail: String) async throws -> Next {
        try reload()
        guard let checkpoint = lineage.checkpoints[shard], !checkpoint.status.letsChildrenStart else { return .nothing }
        let policy = checkpoint.loss?.remedy ?? (wasJustSkipped(checkpoint) ? .skip : standing)
        let lost = RangeLost(
            cause: cause, from: checkpoint.sequenceNumber, to: await firstLeft(of: checkpoint, cause),
            since: checkpoint.accounted, policy: policy, detail: detail)
        // A table that is begun again meets what stopped it again, and has said so.
        let isKnown = checkpoint.loss.map { $0.stops && $0.lost.cause == cause } ?? false
        if !isKnown || policy != .stop {
            var payloads: [Payload] = [.rangeLost(lost)]
            if policy == .skip, cause == .shardGone {
                payloads.append(
                    .statusChanged(
                        StatusChanged(from: checkpoint.status, to: .lost, reason: "gone from the stream unread")))
            }
            var drafts = [Draft(shard: checkpoint.shard, expecting: checkpoint.revision, payloads)]
            switch policy {
            case .stop: if cause == .stoodStill { drafts += try stopsWith(shard) }
            case .skip: break
            case .resync:
                let next = lost.fullSync(of: shard, after: try workshop.journal.table(schema.name))
                drafts += resyncsWith(shard) + [Draft(table: schema.name, [.phaseChanged(next)])]
            }
            guard try await append(drafts) else { return .nothing }
        }
        let error = DaemonError.rangeLost(table: schema.name, shard: shard, lost)
        guard policy == .skip else { throw error }
        log(shard).error("\(error)")
        return cause == .shardGone ? .findChildren : .nothing
    }

    /// Declares the loss of shards that are to be read from their start, of which nobody has read for longer than the stream
    /// keeps its records: it gives what is left, and says nothing of the rest.
    mutating func loseWhatStoodStill() async throws {
        examined = workshop.now()
        var looked: [ShardID: Revision] = [:]
        // One at a time: what is given up lets its children start, and they have stood still with it. Once more, where an operator
        // was quicker than the loss.
        while let checkpoint = eligible.compactMap({ lineage.checkpoints[$0] })
            .first(where: { looked[$0.shard.shard] != $0.revision })
        {
            let shard = checkpoint.shard.shard
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
        }
    }

    private static let standstill =
        "it was not read for 23 hours or more, and the stream is sure to keep its records for 24 only"

    private var standing: LossPolicy { workshop.configuration.onLoss[schema.name] }

    /// Whether what is lost is what the loss before it spoke of: there it was said how to go on.
    private func wasJustSkipped(_ checkpoint: Checkpoint) -> Bool {
        checkpoint.lossDeclared.map { workshop.now() - $0 < Self.sameLoss } ?? false
    }

    /// The same loss of all others that have stood still beside a shard or below it: an operator answers once.
    private func stopsWith(_ shard: ShardID) throws(JournalError) -> [Draft] {
        var drafts: [Draft] = []
        for checkpoint in lineage.checkpoints.values.sorted(by: { $0.shard < $1.shard })
        where checkpoint.shard.shard != shard && !checkpoint.status.letsChildrenStart && checkpoint.loss == nil {
            guard !running.contains(checkpoint.shard.shard), try hasStoodStill(checkpoint) else { continue }
            let lost = RangeLost(
                cause: .stoodStill, from: checkpoint.sequenceNumber, to: nil, since: checkpoint.accounted,
                policy: .stop,
                detail: Self.standstill)
            drafts.append(Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [.rangeLost(lost)]))
        }
        return drafts
    }

    /// What stopped the table of other shards, where the scan that one of them is given is the answer for all.
    private func resyncsWith(_ shard: ShardID) -> [Draft] {
        lineage.checkpoints.values.sorted { $0.shard < $1.shard }.compactMap { checkpoint in
            guard checkpoint.shard.shard != shard, !checkpoint.status.letsChildrenStart,
                !running.contains(checkpoint.shard.shard), let loss = checkpoint.loss, loss.lost.policy == .stop,
                loss.remedy ?? standing == .resync
            else { return nil }
            var lost = loss.lost
            lost.policy = .resync
            return Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [.rangeLost(lost)])
        }
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

    /// The oldest record that the stream still has of a shard, as far as it says so soon: nobody waits for it long.
    private func firstLeft(of checkpoint: Checkpoint, _ cause: LossCause) async -> SequenceNumber? {
        guard cause != .shardGone else { return checkpoint.range.ending }
        return await workshop.within(.seconds(5)) { [source = workshop.source, shard = checkpoint.shard] in
            guard let iterator = try? await source.iterator(.trimHorizon, at: nil, shard: shard),
                let page = try? await source.rawRecords(at: iterator, limit: 1, onNext: { _, _ in }).parsed()
            else { return nil }
            return page.changes.first?.sequenceNumber
        }
    }

    /// Whether every shard that is known was read to its end, or needs no reading.
    var hasNothingLeft: Bool { lineage.checkpoints.values.allSatisfy { $0.status.letsChildrenStart } }

    /// What is done where the service says that what comes after the checkpoint has left the stream.
    mutating func trimmed(_ checkpoint: Checkpoint, _ answer: DaemonError) async throws -> Next {
        let shard = checkpoint.shard.shard
        if isAccountedFor(checkpoint) {
            // Its last record has left the stream, and nothing but that: what is there comes after it.
            guard atHorizon.insert(shard).inserted else { return .rest(because: answer) }
            return .nothing
        }
        // The horizon moves on, and a source may say so of everything: the loss that was just declared covers it.
        if wasJustSkipped(checkpoint) { return .rest(because: answer) }
        // Records that leave the stream before we could first ask for them were never ours to bring.
        if try holdsAllSinceAnchor(checkpoint) || isReplay(checkpoint) || neverWasOurs(checkpoint) {
            return .rest(because: answer)
        }
        return try await lose(shard, .trimmed, "\(answer)")
    }

    /// Whether all that was made until less than a day ago is in the target, though the checkpoint's own record is older.
    private func isAccountedFor(_ checkpoint: Checkpoint) -> Bool {
        guard checkpoint.sequenceNumber != nil, let until = checkpoint.accountedUntil else { return false }
        return workshop.now() - until < Recovery.surelyHeld
    }

    /// What a shard that ended after a long silence says for its children: an idle table rolls its shards over every few
    /// hours, and none of them may ever have a record.
    func lastWord(_ result: ShardReader.Result) -> [Payload] {
        guard let vouched = result.vouched else { return [] }
        if let known = result.checkpoint.accounted, vouched - known < Silence.worthSaying { return [] }
        return [.inStep(InStep(until: vouched))]
    }

    // MARK: - What was promised

    /// Whether the stream is sure to hold every record that was ours of the shard: since its parent's last one, or since the
    /// journal knows it.
    func isWhole(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        try wholeSince(checkpoint).map { workshop.now() - $0 < Recovery.surelyHeld } ?? false
    }

    /// Up to when all that came before the shard is accounted for: by its parent, or where nothing is known of that, by
    /// the one above. What is at the top was ours since the journal knows it.
    private func wholeSince(_ checkpoint: Checkpoint) throws(JournalError) -> Timestamp? {
        var (top, seen): (Checkpoint, Set<ShardID>) = (checkpoint, [checkpoint.shard.shard])
        while let parent = top.parent.flatMap({ lineage.checkpoints[$0] }), seen.insert(parent.shard.shard).inserted {
            if let accounted = parent.accounted {
                // One that needed no reading says so of the time before its child was known; it may have been noticed late.
                guard parent.status == .notNeeded, let known = try discovered(top)?.time else { return accounted }
                return min(accounted, known)
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
    private func discovered(_ checkpoint: Checkpoint) throws(JournalError) -> (time: Timestamp, isOpen: Bool)? {
        guard let first = try workshop.journal.history(of: checkpoint.shard, HistoryQuery(limit: 1)).first else {
            return nil
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
    private func isReplay(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        try deliveredBeforeReplay(checkpoint).map { workshop.now() - $0 < Recovery.surelyHeld } ?? false
    }

    /// Up to when all was delivered that an operator's rewind to the start brings again; `nil` where there was none.
    private func deliveredBeforeReplay(_ checkpoint: Checkpoint) throws(JournalError) -> Timestamp? {
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
        // It was said to be older than the anchor that is pinned then.
        if status == .notNeeded { times.append(updated) }
        return times.compactMap(\.self).max()
    }
}
