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
    var positions: [ShardKey: ShardPosition]
    var handedOver: [ShardID: ShardIterator] = [:]
    private var expired: Set<ShardID> = []
    /// Shards whose checkpoint's record has left the stream, and no other with it: they go on with the oldest that is left.
    var atHorizon: Set<ShardID> = []
    /// Of the shards that are read now.
    let jobs = ShardJobs()
    private var failures: [ShardID: Failing] = [:]
    /// Shards whose reading failed and that wait for their next try.
    private var resting: Set<ShardID> = []
    /// Shards that a first listing showed, of which nothing was promised yet: what they lost before is no loss of ours.
    var fresh: Set<ShardID> = []
    /// Whether the table is followed from here on, with no scan before that and nothing known of it.
    private var isFirstListing: Bool
    /// Why none of the shards is to be read, where an operator has said so of the whole table.
    private(set) var pause: Pause?
    /// When it was last examined whether what may be read has stood still. The losses of that may take long, or be suspended:
    /// what is taken up after them was decided on before.
    var examined: Timestamp
    /// When the last listing was asked for that was taken over.
    private(set) var listed: Timestamp?
    /// Where a shard begins whose ancestors are all unknown. Only the first listing has such shards that are older than
    /// we are, even if it is empty: what comes later is new, and begins at its start.
    var startAt: IteratorType

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
        var last: Timestamp
    }

    /// - Parameters:
    ///   - first: where a stream begins of which nothing is known.
    ///   - wasAnchored: an earlier run has seen a listing before it began to scan, or the table was followed by another stream.
    init(
        workshop: Workshop, schema: TableSchema, stream: StreamARN, lineage: Lineage, positions: [ShardPosition],
        startAt first: IteratorType, wasAnchored: Bool
    ) {
        self.workshop = workshop
        self.schema = schema
        self.stream = stream
        self.lineage = lineage
        examined = workshop.now()
        self.positions = Dictionary(positions.map { ($0.shard, $0) }, uniquingKeysWith: { _, last in last })
        let isNew = !wasAnchored && lineage.checkpoints.isEmpty
        startAt = isNew ? first : .trimHorizon
        isFirstListing = isNew && workshop.configuration.mode == .incr
    }

    var running: Set<ShardID> { lineage.running }

    /// Who sets shards back, where it is no operator.
    static let author = "recovery"

    func key(_ shard: ShardID) -> ShardKey { ShardKey(table: schema.name, stream: stream, shard: shard) }

    func log(_ shard: ShardID) -> Logger {
        var log = workshop.logger
        log[metadataKey: "table"] = "\(schema.name)"
        log[metadataKey: "shard"] = "\(shard)"
        return log
    }

    // MARK: - What the journal learns

    /// Appends, and takes the answer over. `false`: somebody else appended meanwhile; the lineage holds what is true now.
    mutating func append(_ drafts: [Draft]) async throws -> Bool {
        guard !drafts.isEmpty else { return true }
        do {
            for receipt in try await workshop.journal.append(drafts) {
                if let checkpoint = receipt.checkpoint, checkpoint.shard.stream == stream { lineage.update(checkpoint) }
            }
            return true
        } catch JournalError.conflict {
            try reload()
            return false
        }
    }

    /// Reads what is known of the shards again, and of those that were let go of what is not over any more.
    mutating func reload() throws(JournalError) {
        let known = lineage.checkpoints.values.lazy.map(\.shard)
        for checkpoint in try workshop.journal.checkpoints(of: schema.name, stream, with: known) {
            lineage.update(checkpoint)
        }
    }

    /// The same, with all that were let go of: O(shards).
    private mutating func reloadAll() throws(JournalError) {
        for checkpoint in try workshop.journal.checkpoints()
        where checkpoint.shard.table == schema.name && checkpoint.shard.stream == stream {
            lineage.update(checkpoint)
        }
    }

    /// Records what a listing says that is new.
    ///
    /// - Parameter isScannedNext: then nothing that came and went unseen is lost.
    mutating func admit(_ listing: [Shard], isScannedNext: Bool = false) async throws {
        while true {
            let news = lineage.news(in: listing, startAt: startAt)
            guard !news.isEmpty else { break }
            if try recall(news.map(\.shard)) { continue }
            let late = news.filter { $0.status != .notNeeded }.map(\.shard)
                .filter { lineage.checkpoints[$0] == nil && !lineage.children(of: $0).isEmpty }
            let overtaken = try overtaken(by: late)
            let orphans = isScannedNext ? [] : try orphans(among: news, listing)
            let losses = Dictionary(orphans.map { ($0.shard, $0.lost) }) { first, _ in first }
            var drafts = Dictionary(
                news.map { ($0.shard, discovery($0, losses[$0.shard])) }, uniquingKeysWith: { first, _ in first })
            for (shard, draft) in overtaken {
                drafts[shard] = Draft(
                    shard: key(shard), expecting: draft.expecting ?? .none,
                    (drafts[shard]?.payloads ?? []) + draft.payloads)
            }
            // Of those that are overtaken it is said already.
            let known = late.isEmpty ? [] : Set(lineage.checkpoints.keys).subtracting(overtaken.map(\.shard))
            let undermined = undermined(
                news.filter { lineage.checkpoints[$0.shard] == nil && $0.discovered.start != .latest }.map(\.shard)
                    + known,
                Dictionary(news.map { ($0.shard, $0) }, uniquingKeysWith: { first, _ in first }),
                setBack: Set(overtaken.map(\.shard)))
            for (shard, payloads) in undermined {
                drafts[shard] = Draft(
                    shard: key(shard), expecting: lineage.checkpoints[shard]?.revision ?? .none,
                    (drafts[shard]?.payloads ?? []) + payloads)
            }
            let older = (overtaken.map(\.shard) + undermined.keys.sorted()).filter { shard in
                !news.contains { $0.shard == shard }
            }
            let order = news.map(\.shard) + older
            if try await append(order.compactMap { drafts[$0] } + fullSync(after: orphans)) {
                if isFirstListing {
                    fresh = Set(
                        news.filter { $0.discovered.start == .trimHorizon && $0.status == nil }.map(\.shard))
                }
                for news in news where news.discovered.range.isClosed == false {
                    log(news.shard).info("shard discovered", metadata: ["starts": "\(news.discovered.start.rawValue)"])
                }
                for (shard, _) in overtaken {
                    log(shard).warning("a parent of the shard was listed late; the shard is read again after it")
                    interrupt(shard)
                }
                for shard in undermined.keys.sorted() {
                    warnOfUndermined(shard)
                    interrupt(shard)
                }
                for (shard, lost) in orphans {
                    let error = DaemonError.rangeLost(table: schema.name, shard: shard, lost)
                    guard lost.policy == .skip else { throw error }
                    workshop.skipped.note(schema.name)
                    log(shard).error("\(error)")
                }
                break
            }
        }
        startAt = .trimHorizon
        isFirstListing = false
        try await anchorNew()
    }

    /// What follows for the table from the losses of a listing, in the same append.
    private func fullSync(after losses: [(shard: ShardID, lost: RangeLost)]) throws(JournalError) -> [Draft] {
        guard let (shard, lost) = losses.first(where: { $0.lost.policy == .resync }) else { return [] }
        let next = lost.fullSync(of: shard, after: try workshop.journal.table(schema.name))
        return [Draft(table: schema.name, [.phaseChanged(next)])]
    }

    /// Takes up again what was let go of and is listed all the same: the journal has never forgotten it.
    ///
    /// - Returns: whether there was any such shard.
    private mutating func recall(_ shards: [ShardID]) throws(JournalError) -> Bool {
        let unknown = Set(shards.filter { lineage.checkpoints[$0] == nil })
        guard lineage.hasForgotten, !unknown.isEmpty else { return false }
        var hasAny = false
        for shard in unknown.sorted() {
            guard let checkpoint = try workshop.journal.checkpoint(of: key(shard)) else { continue }
            lineage.update(checkpoint)
            hasAny = true
        }
        return hasAny
    }

    /// A whole listing is taken over: lets go of shards that are over and that it no longer has.
    mutating func finish(_ listing: [Shard], asked: Timestamp) {
        listed = asked
        forget(allBut: Set(listing.map(\.id)))
    }

    /// Lets go of what was over long before the daemon began, once it is compared with the target: the journal may know all shards
    /// of many years. What a listing shows all the same is taken up again.
    mutating func forgetOld() {
        let horizon = workshop.now() + (.zero - Self.recent)
        forget(allBut: Set(lineage.checkpoints.values.lazy.filter { $0.updated >= horizon }.map(\.shard.shard)))
    }

    /// Twice as long as the stream is sure to keep a record.
    private static let recent = Recovery.surelyHeld + Recovery.surelyHeld

    private mutating func forget(allBut kept: Set<ShardID>) {
        for shard in lineage.forget(allBut: kept) {
            positions[key(shard)] = nil
            handedOver[shard] = nil
            failures[shard] = nil
            expired.remove(shard)
            atHorizon.remove(shard)
            fresh.remove(shard)
        }
        if positions.count * 4 < positions.capacity {
            positions = Dictionary(uniqueKeysWithValues: positions.map { ($0.key, $0.value) })
        }
    }

    /// - Parameter lost: what was lost before it could be discovered: once it is known, nobody asks again.
    private func discovery(_ news: Lineage.News, _ lost: RangeLost?) -> Draft {
        var payloads: [Payload] = [.shardDiscovered(news.discovered)]
        if let status = news.status {
            let reason = status == .notNeeded ? "closed before the anchor" : "its parent is not read to its end yet"
            payloads.append(.statusChanged(StatusChanged(from: .notProcessed, to: status, reason: reason)))
        }
        if let lost { payloads.append(.rangeLost(lost)) }
        return Draft(
            shard: key(news.shard), expecting: lineage.checkpoints[news.shard]?.revision ?? .none, payloads)
    }

    /// Shards that have begun though a parent of theirs is to be read, which no listing had shown.
    private mutating func overtaken(by late: [ShardID]) throws(JournalError) -> [(shard: ShardID, draft: Draft)] {
        guard !late.isEmpty else { return [] }
        // Readers advance their shards past what the lineage knows; and what was let go of may have to be set back too.
        try reloadAll()
        let drafts = RewindPlan.settingBack(
            below: late, among: Array(lineage.checkpoints.values), reason: "a parent of it was listed late",
            author: Self.author)
        return drafts.compactMap { draft in
            guard case .shard(let key) = draft.subject else { return nil }
            return (key.shard, draft)
        }
    }

    /// Ends a shard of which nothing more is ours to bring. It is not `done`: it was not read to its end.
    func excusing(_ checkpoint: Checkpoint, _ reason: String) -> Draft {
        Draft(
            shard: checkpoint.shard, expecting: checkpoint.revision,
            [.statusChanged(StatusChanged(from: checkpoint.status, to: .notNeeded, reason: reason))])
    }

    mutating func rewind(
        _ checkpoint: Checkpoint, to place: RewindRequest.Place, inclusive: Bool = false, _ reason: String
    ) async throws {
        let request = RewindRequest(place: place, inclusive: inclusive, reason: reason, author: Self.author)
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

    /// Shards that may be read now and that nobody reads, save those that rest.
    var eligible: [ShardID] { pause == nil ? lineage.eligible.filter { !resting.contains($0) } : [] }

    /// One job for each shard that may be read now.
    mutating func takeEligible() -> [ShardJob] {
        eligible.compactMap { shard in
            guard let checkpoint = lineage.checkpoints[shard] else { return nil }
            lineage.took(shard)
            workshop.pulse.took(checkpoint.shard)
            workshop.vitals.took(checkpoint.shard)
            // What was handed over is the place of the anchor. A rewind since has made another one of it.
            let anchor = handedOver.removeValue(forKey: shard)
            let isAnchored = checkpoint.iteratorType == .latest && checkpoint.sequenceNumber == nil
            let job = ShardJob(
                workshop: workshop, schema: schema, checkpoint: checkpoint,
                position: positions[checkpoint.shard], handedOver: isAnchored ? anchor : nil,
                expired: expired.remove(shard) != nil, atHorizon: atHorizon.contains(shard),
                decided: examined, woken: jobs.woken)
            jobs[shard] = job
            return job
        }
    }

    /// Takes over how a reader ended.
    mutating func ended(_ shard: ShardID, _ result: ShardReader.Result) async throws -> Next {
        lineage.released(shard)
        jobs[shard] = nil
        if result.hasRead {
            fresh.remove(shard)
            atHorizon.remove(shard)
        }
        lineage.update(result.checkpoint)
        let answer = DaemonError.source(
            result.answer ?? .badReply(operation: "GetRecords", object: shard.text, why: "it can't be read on"))
        switch result.outcome {
        case .done:
            let isAppended = try await append([
                Draft(
                    shard: result.checkpoint.shard, expecting: result.checkpoint.revision,
                    lastWord(result)
                        + [.statusChanged(StatusChanged(from: .inProcessing, to: .done, reason: "read to its end"))])
            ])
            guard isAppended else { return .nothing }
            failures[shard] = nil
            log(shard).info("shard done", metadata: ["records": "\(result.checkpoint.records)"])
            return .findChildren
        case .displaced:
            try reload()
            // The journal has to say once more whether it was in step until now.
            atHorizon.remove(shard)
            try await vouch(result)
            log(shard).info(isPaused(shard) ? "the shard is paused" : "the shard is taken up anew")
            return .nothing
        case .startExpired:
            expired.insert(shard)
            return .nothing
        case .stopped:
            return .nothing
        case .expiredAtOnce:
            return .rest(because: answer)
        case .trimmed:
            return try await trimmed(result.checkpoint, answer)
        case .gone:
            if result.isDoubtful { return .rest(because: answer) }
            guard try neverWasOurs(result.checkpoint) else { return try await lose(shard, .shardGone, "\(answer)") }
            try reload()
            guard let checkpoint = lineage.checkpoints[shard] else { return .nothing }
            _ = try await append([excusing(checkpoint, "gone from the stream before it was first read")])
            return .findChildren
        }
    }

    /// - Returns: how long to wait before `retry`.
    mutating func failed(_ shard: ShardID, _ error: DaemonError) async throws -> Duration {
        lineage.released(shard)
        jobs[shard] = nil
        try reload()
        let records = lineage.checkpoints[shard]?.records ?? 0
        let now = workshop.now()
        // What came, or a minute's peace, makes it another row.
        let row = failures[shard].flatMap { $0.records == records && now - $0.last < .seconds(60) ? $0 : nil }
        var failing = row ?? Failing(records: records, last: now)
        failing.last = now
        let delay = failing.backoff.next(jitter: workshop.random())
        // The first failure of a row is history; a hundred more of the same would only bury it.
        if failing.backoff.failures == 1 { try await fault(shard, error) }
        failures[shard] = failing
        resting.insert(shard)
        workshop.vitals.rests(key(shard), error.description)
        if isPaused(shard) { endRest(of: shard) }
        return delay
    }

    mutating func retry(_ shard: ShardID) { endRest(of: shard) }

    /// The daemon is to stop: readers finish what is in flight.
    func stopReaders() { jobs.interrupt() }

    /// An operator's process appended about `subjects`: readers of shards among them stop and start again from the journal, and what
    /// was said of the table holds for each.
    mutating func displace(_ subjects: Set<Subject>) throws {
        try reload()
        for shard in subjects.compactMap(\.shard) where shard.stream == stream {
            interrupt(shard.shard)
        }
        try learnOfPause()
    }

    /// Reads whether the table is paused: then all readers finish what is in flight.
    mutating func learnOfPause() throws(JournalError) {
        pause = try workshop.journal.table(schema.name)?.pause
        guard pause != nil else { return }
        stopReaders()
        for shard in resting { endRest(of: shard) }
    }

    /// Nobody reads any shard of the table from now on.
    mutating func endRests() {
        for shard in resting { letGo(of: shard) }
        resting = []
    }

    /// Whoever reads it puts it down, and it begins anew from the journal once it may be read.
    private mutating func interrupt(_ shard: ShardID) {
        jobs[shard]?.interrupt()
        endRest(of: shard)
    }

    /// It waits for no next try any more. What is not to be read now (it is paused, or comes after another again) is at rest, and no
    /// trouble.
    private mutating func endRest(of shard: ShardID) {
        guard resting.remove(shard) != nil, !eligible.contains(shard) else { return }
        letGo(of: shard)
    }

    private func letGo(of shard: ShardID) {
        workshop.pulse.released(key(shard))
        workshop.vitals.released(key(shard))
    }
}
