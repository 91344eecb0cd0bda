internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Targets

/// The shards of one stream as one table's task sees them: takes them up, marks them done, sets them back.
///
/// Decides nothing by itself: where a shard starts is `StartTable`'s, which may be read is `Lineage`'s, what a target's
/// position means is `Recovery`'s. Everything that happens goes through the journal first.
struct ShardDesk {
    let workshop: Workshop
    let schema: TableSchema
    let stream: StreamARN
    private(set) var lineage: Lineage
    private var positions: [ShardKey: ShardPosition]
    private var handedOver: [ShardID: ShardIterator] = [:]
    private var expired: Set<ShardID> = []
    private var interrupts: [ShardID: Signal] = [:]
    private var failures: [ShardID: Failing] = [:]
    /// Shards whose reading failed and that wait for their next try.
    private var resting: Set<ShardID> = []
    /// Where a shard begins whose ancestors are all unknown. Only the first listing has such shards that are older than
    /// we are, even if it is empty: what comes later is new, and begins at its start.
    private var startAt: IteratorType

    enum Next: Sendable {
        case nothing
        case findChildren
        /// It was not read to its end, and is taken up again after a while.
        case rest(because: DaemonError)
    }

    /// A shard's tries since it last brought something.
    private struct Failing {
        var backoff = Backoff()
        let records: UInt64
    }

    /// - Parameter wasAnchored: an earlier run has seen a listing before it began to scan.
    init(
        workshop: Workshop, schema: TableSchema, stream: StreamARN, lineage: Lineage, positions: [ShardPosition],
        wasAnchored: Bool
    ) {
        self.workshop = workshop
        self.schema = schema
        self.stream = stream
        self.lineage = lineage
        self.positions = Dictionary(positions.map { ($0.shard, $0) }, uniquingKeysWith: { _, last in last })
        startAt = wasAnchored || !lineage.checkpoints.isEmpty ? .trimHorizon : workshop.configuration.startAt
    }

    var running: Set<ShardID> { lineage.running }

    private func key(_ shard: ShardID) -> ShardKey { ShardKey(table: schema.name, stream: stream, shard: shard) }

    private func log(_ shard: ShardID) -> Logger {
        var log = workshop.logger
        log[metadataKey: "table"] = "\(schema.name)"
        log[metadataKey: "shard"] = "\(shard)"
        return log
    }

    // MARK: - What the journal learns

    /// Appends, and takes the answer over. `false`: somebody else appended meanwhile; the lineage holds what is true now.
    private mutating func append(_ drafts: [Draft]) async throws -> Bool {
        guard !drafts.isEmpty else { return true }
        do {
            for receipt in try await workshop.journal.append(drafts) {
                if let checkpoint = receipt.checkpoint { lineage.update(checkpoint) }
            }
            return true
        } catch JournalError.conflict {
            try reload()
            return false
        }
    }

    private mutating func reload() throws(JournalError) {
        for checkpoint in try workshop.journal.checkpoints()
        where checkpoint.shard.table == schema.name && checkpoint.shard.stream == stream {
            lineage.update(checkpoint)
        }
    }

    /// Records what a listing says that is new.
    mutating func admit(_ listing: [Shard]) async throws {
        while true {
            let news = lineage.news(in: listing, startAt: startAt)
            guard !news.isEmpty else { break }
            let overtaken = try overtaken(by: news)
            var drafts = Dictionary(news.map { ($0.shard, discovery($0)) }, uniquingKeysWith: { first, _ in first })
            for (shard, draft) in overtaken {
                drafts[shard] = Draft(
                    shard: key(shard), expecting: draft.expecting ?? .none,
                    (drafts[shard]?.payloads ?? []) + draft.payloads)
            }
            let order =
                news.map(\.shard) + overtaken.map(\.shard).filter { shard in !news.contains { $0.shard == shard } }
            if try await append(order.compactMap { drafts[$0] }) {
                for news in news where news.discovered.range.isClosed == false {
                    log(news.shard).info("shard discovered", metadata: ["starts": "\(news.discovered.start.rawValue)"])
                }
                for (shard, _) in overtaken {
                    log(shard).warning("a parent of the shard was listed late; the shard is read again after it")
                    interrupts[shard]?.fire()
                }
                break
            }
        }
        startAt = .trimHorizon
        try await anchorNew()
    }

    private func discovery(_ news: Lineage.News) -> Draft {
        var payloads: [Payload] = [.shardDiscovered(news.discovered)]
        if let status = news.status {
            let reason = status == .notNeeded ? "closed before the anchor" : "its parent is not read to its end yet"
            payloads.append(.statusChanged(StatusChanged(from: .notProcessed, to: status, reason: reason)))
        }
        return Draft(
            shard: key(news.shard), expecting: lineage.checkpoints[news.shard]?.revision ?? .none, payloads)
    }

    /// Shards that have begun though a parent of theirs is to be read, which no listing had shown.
    private mutating func overtaken(by news: [Lineage.News]) throws(JournalError) -> [(shard: ShardID, draft: Draft)] {
        let late = news.filter { $0.status != .notNeeded }.map(\.shard)
            .filter { lineage.checkpoints[$0] == nil && !lineage.children(of: $0).isEmpty }
        guard !late.isEmpty else { return [] }
        // Readers advance their shards past what the lineage knows.
        try reload()
        let drafts = RewindPlan.settingBack(
            below: late, among: Array(lineage.checkpoints.values), reason: "a parent of it was listed late",
            author: "recovery")
        return drafts.compactMap { draft in
            guard case .shard(let key) = draft.subject else { return nil }
            return (key.shard, draft)
        }
    }

    /// Pins LATEST down for shards that are to begin there: from now on their place doesn't move.
    private mutating func anchorNew() async throws {
        for checkpoint in lineage.checkpoints.values
        where checkpoint.status == .notProcessed && checkpoint.iteratorType == .latest {
            let asked = workshop.now()
            let iterator = try await workshop.source.iterator(.latest, at: nil, shard: checkpoint.shard)
            let isAppended = try await append([
                Draft(
                    shard: checkpoint.shard, expecting: checkpoint.revision,
                    [
                        .iteratorResolved(
                            IteratorResolved(
                                rule: StartTable.Rule.unanchoredLatest.rawValue, iteratorType: .latest,
                                sequenceNumber: nil, iterator: iterator,
                                issued: asked + workshop.source.clockLead)),
                        .statusChanged(
                            StatusChanged(from: .notProcessed, to: .prepared, reason: "anchored at the newest record")),
                    ])
            ])
            if isAppended { handedOver[checkpoint.shard.shard] = iterator }
        }
    }

    /// Makes sure that everything which happens to the table from now on will be read after the scan.
    ///
    /// Open shards are pinned at their newest record, closed ones are older than the scan. A shard that was read already
    /// belongs to an earlier sync whose continuation is lost: it is read again from its start.
    mutating func anchor(listing: [Shard]) async throws {
        for shard in lineage.checkpoints.keys.sorted() {
            // Looked up anew each time: one rewind sets descendants back with it.
            guard let checkpoint = lineage.checkpoints[shard], !checkpoint.status.letsChildrenStart,
                checkpoint.sequenceNumber != nil
            else { continue }
            try await rewind(checkpoint, to: .start, "the table is synced in full again")
        }
        try await finishAgedOut(listing)
        if lineage.checkpoints.isEmpty { startAt = .latest }
        try await admit(listing)
    }

    /// Shards that the stream no longer has are over: the scan that follows holds what they would have brought.
    private mutating func finishAgedOut(_ listing: [Shard]) async throws {
        let listed = Set(listing.map(\.id))
        let gone = lineage.checkpoints.values.filter {
            !$0.status.letsChildrenStart && !listed.contains($0.shard.shard)
        }
        _ = try await append(
            gone.sorted { $0.position < $1.position }.map {
                finishing($0, "gone from the stream; the full sync holds what it would have brought")
            })
    }

    /// Ends a shard that is gone from the stream.
    private func finishing(_ checkpoint: Checkpoint, _ reason: String) -> Draft {
        let taken: [Payload] =
            checkpoint.status == .inProcessing
            ? [] : [.statusChanged(StatusChanged(from: checkpoint.status, to: .inProcessing, reason: "aged out"))]
        return Draft(
            shard: checkpoint.shard, expecting: checkpoint.revision,
            taken + [.statusChanged(StatusChanged(from: .inProcessing, to: .done, reason: reason))])
    }

    /// Compares what the target holds with what the journal says, before anything is read (DESIGN 4.5).
    mutating func recover() async throws {
        guard workshop.target.storesPositions else { return }
        let state = try workshop.journal.table(schema.name)
        for shard in lineage.checkpoints.keys.sorted() {
            // Looked up anew each time: a shard that an ancestor's rewind set back has a new epoch, and nothing to compare.
            guard let current = lineage.checkpoints[shard] else { continue }
            // What it brought before the table was scanned is in the scan.
            if let scanned = state?.scanFinished, current.position < scanned { continue }
            switch Recovery.compare(current, with: positions[current.shard]) {
            case .inStep, .advance: continue  // an advance is appended when the shard is taken up
            case .rewind(let number):
                log(shard).warning(
                    "the target is behind the journal; the shard is read again from there",
                    metadata: [
                        "target": "\(number)", "journal": "\(current.sequenceNumber?.text ?? "")",
                    ])
                try await rewind(current, to: .sequenceNumber(number), "the target holds no more than this")
            case .startAgain:
                let reason =
                    "the target holds nothing of shard \(shard), of which the journal says "
                    + "\(current.records) records: it is older, was emptied, or is another one"
                guard try isWhole(current) else {
                    throw DaemonError.needsFullSync(
                        table: schema.name, reason: "\(reason), and the stream no longer holds the shard from its start"
                    )
                }
                log(shard).warning("the target holds nothing of the shard; it is read again from its start")
                try await rewind(current, to: .start, reason)
            }
        }
    }

    /// Whether the stream is sure to hold every record that the shard has had since the journal knows it.
    private func isWhole(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        let first = try workshop.journal.history(of: checkpoint.shard, HistoryQuery(limit: 1)).first
        return first.map { workshop.now() - $0.time < Recovery.retention } ?? false
    }

    private mutating func rewind(
        _ checkpoint: Checkpoint, to place: RewindRequest.Place, _ reason: String
    ) async throws {
        let request = RewindRequest(place: place, inclusive: false, reason: reason, author: "recovery")
        do {
            let plan = try RewindPlan.make(request, of: checkpoint.shard, among: Array(lineage.checkpoints.values))
            guard try await append(plan.drafts) else {
                throw DaemonError.journal(
                    .conflict(
                        shard: checkpoint.shard, expected: checkpoint.revision,
                        found: lineage.checkpoints[checkpoint.shard.shard]?.revision ?? .none))
            }
        } catch let refusal as RewindRefusal {
            throw DaemonError.needsFullSync(table: schema.name, reason: "\(reason), but: \(refusal)")
        }
    }

    /// Says once what keeps a shard, or the table, from going on.
    mutating func fault(_ shard: ShardID?, _ error: DaemonError) async throws {
        let payload = Payload.faulted(
            Faulted(code: error.code, message: error.description, isRetried: error.reach == .retry))
        guard let shard, let checkpoint = lineage.checkpoints[shard] else {
            _ = try await append([Draft(table: schema.name, [payload])])
            return
        }
        _ = try await append([Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [payload])])
    }

    // MARK: - Readers

    /// One job for each shard that may be read now.
    mutating func takeEligible() -> [ShardJob] {
        lineage.eligible.filter { !resting.contains($0) }.compactMap { shard in
            guard let checkpoint = lineage.checkpoints[shard] else { return nil }
            lineage.took(shard)
            workshop.pulse.took(checkpoint.shard)
            let interrupt = Signal()
            interrupts[shard] = interrupt
            // What was handed over is the place of the anchor. A rewind since has made another one of it.
            let anchor = handedOver.removeValue(forKey: shard)
            let isAnchored = checkpoint.iteratorType == .latest && checkpoint.sequenceNumber == nil
            return ShardJob(
                workshop: workshop, schema: schema, checkpoint: checkpoint,
                position: positions[checkpoint.shard], handedOver: isAnchored ? anchor : nil,
                expired: expired.remove(shard) != nil, interrupt: interrupt)
        }
    }

    /// Takes over how a reader ended.
    mutating func ended(_ shard: ShardID, _ result: ShardReader.Result) async throws -> Next {
        lineage.released(shard)
        interrupts[shard] = nil
        lineage.update(result.checkpoint)
        let answer = DaemonError.source(
            result.answer ?? .badReply(operation: "GetRecords", object: shard.text, why: "it can't be read on"))
        switch result.outcome {
        case .done:
            let isAppended = try await append([
                Draft(
                    shard: result.checkpoint.shard, expecting: result.checkpoint.revision,
                    [.statusChanged(StatusChanged(from: .inProcessing, to: .done, reason: "read to its end"))])
            ])
            guard isAppended else { return .nothing }
            failures[shard] = nil
            log(shard).info("shard done", metadata: ["records": "\(result.checkpoint.records)"])
            return .findChildren
        case .displaced:
            try reload()
            log(shard).info("the shard was set back; it is taken up anew")
            return .nothing
        case .startExpired:
            expired.insert(shard)
            return .nothing
        case .stopped:
            return .nothing
        case .expiredAtOnce:
            return .rest(because: answer)
        case .trimmed:
            // Records that leave the stream before we could first ask for them were never ours to bring.
            if try neverWasOurs(result.checkpoint) { return .rest(because: answer) }
            throw lost(shard, result.checkpoint)
        case .gone:
            let listing = try await workshop.source.describeStream(stream).shards
            // Listed, and said not to be there: one of the two is late.
            if listing.contains(where: { $0.id == shard }) { return .rest(because: answer) }
            guard try neverWasOurs(result.checkpoint) else { throw lost(shard, result.checkpoint) }
            try reload()
            guard let checkpoint = lineage.checkpoints[shard] else { return .nothing }
            _ = try await append([finishing(checkpoint, "gone from the stream before it was first read")])
            return .findChildren
        }
    }

    /// Whether what left the stream of a shard was made before the journal knew of it: a fresh start brings what is there.
    private func neverWasOurs(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        guard lineage.promisesNothing(checkpoint.shard.shard) else { return false }
        return try isWhole(checkpoint)
    }

    private func lost(_ shard: ShardID, _ checkpoint: Checkpoint) -> DaemonError {
        .needsFullSync(
            table: schema.name,
            reason: "the stream no longer holds what shard \(shard) has after "
                + "\(checkpoint.sequenceNumber.map { "sequence number \($0)" } ?? "its start")")
    }

    /// - Returns: how long to wait before `retry`.
    mutating func failed(_ shard: ShardID, _ error: DaemonError) async throws -> Duration {
        lineage.released(shard)
        interrupts[shard] = nil
        try reload()
        let records = lineage.checkpoints[shard]?.records ?? 0
        var failing = failures[shard].flatMap { $0.records == records ? $0 : nil } ?? Failing(records: records)
        let delay = failing.backoff.next(jitter: .random(in: 0...1))
        // The first failure of a row is history; a hundred more of the same would only bury it.
        if failing.backoff.failures == 1 { try await fault(shard, error) }
        failures[shard] = failing
        resting.insert(shard)
        return delay
    }

    mutating func retry(_ shard: ShardID) { resting.remove(shard) }

    /// The daemon is to stop: readers finish what is in flight.
    func stopReaders() { for interrupt in interrupts.values { interrupt.fire() } }

    /// An operator's process appended to `shards`: readers stop and start again from the journal.
    mutating func displace(_ shards: Set<ShardKey>) throws {
        try reload()
        for shard in shards where shard.stream == stream { interrupts[shard.shard]?.fire() }
    }
}
