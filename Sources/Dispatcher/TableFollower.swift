internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Targets

/// Keeps one table in step, from its description to the last shard: full sync where it is due, then its stream.
///
/// One task and one `Lineage`; readers, timers and look-ups are child tasks whose results come back as events.
struct TableFollower {
    let workshop: Workshop
    let table: TableName
    /// Where its stream begins, if nothing is known of it and nothing is copied.
    let startAt: IteratorType
    /// Shards of this table that another process has appended to.
    let foreign: Inbox<Subject>
    /// Called once the table is scanned or followed: source and target have answered, so that what fails from now on was
    /// no mistake of whoever started the daemon.
    let follows: @Sendable () -> Void

    /// Indirect, since each of a thousand shards' tasks keeps room for one.
    indirect enum Event: Sendable {
        case stopped
        case discoveryDue
        /// With the time when it was asked for.
        case listed(StreamDescription, Timestamp)
        case listingFailed(DynamoDBError)
        case described(TableDescription)
        case notDescribed(DynamoDBError)
        case childrenFound([Shard], of: Set<ShardID>, Timestamp)
        case readerEnded(ShardID, ShardReader.Result)
        case readerFailed(ShardID, DaemonError)
        /// It goes on when it is woken.
        case readerAsleep
        /// Of a shard that had slept.
        case woken(Event)
        case retryDue(ShardID)
        case foreignAppends
        /// Whether to its end.
        case scanned(Bool)
        case scanFailed(DaemonError)
        case scanDue
        case nothing
    }

    /// How following a stream came to its end.
    enum Ending {
        case stopped
        /// The table is paused, or was, or an operator has asked for another full sync: all is read from the journal again.
        case beginsAgain
        /// All of it is read, or it is gone, and the table has another stream or none.
        case streamOver
    }

    /// Returns when the daemon is to stop, or when the mode asks for no more.
    func run() async throws {
        while true {
            let ending: Result<Ending, any Error>
            do { ending = .success(try await runOnce()) } catch { ending = .failure(error) }
            // A scan that goes on begins with what lies on the disk then.
            await workshop.writer.endScan(of: table)
            if case .stopped = try ending.get() { return }
            workshop.pulse.busy(table)
        }
    }

    private func runOnce() async throws -> Ending {
        guard var description = try await describe() else { return .stopped }
        if !workshop.configuration.preparesOnly {
            // Of another table than was copied nothing in the target is compared with it first.
            if try isAnother(description) {
                guard let streaming = try await withStream(description) else { return .stopped }
                description = streaming
            }
            try await identify(description)
        }
        let (state, touched) = try await takeUpScan(description.stream)
        // Before it is made: a crash in between must not hide that it was missing.
        if let items = state?.items, items > 0, !(try await workshop.target.hasPlace(for: table)) {
            throw DaemonError.emptied(workshop.target.name, of: table, items: items)
        }
        if workshop.target.storesPositions, let state,
            let segment = Recovery.missingSegment(of: state, in: try await workshop.target.scanPositions(of: table))
        {
            throw DaemonError.needsFullSync(
                table: table,
                reason:
                    "\(workshop.target.name) does not hold all that segment \(segment) of the scan has brought, as the "
                    + "journal says: it was restored from a backup from before that, or is another one, or the journal is an older copy"
            )
        }
        try await findImported(state)
        try await beginInTarget(state)
        try await prepare(description)
        if workshop.configuration.preparesOnly {
            log.notice("the table's place is ready", metadata: ["target": "\(workshop.target.name)"])
            return .stopped
        }
        guard let streaming = try await withStream(description) else { return .stopped }
        description = streaming
        let older = try await olderStream(description, state)
        let unfinished: StreamARN? = if case .unfinished(let stream) = older { stream } else { nil }
        let stream = if let unfinished { unfinished } else { try description.followedStream }
        // Not before: a table that waits for a stream is looked at again and again, and keeps nobody from coming to rest.
        workshop.pulse.busy(table)
        try await followNewStream(
            stream, state, description.id, isDrained: older == .drained, isScanned: touched != nil)
        // The journal says so also after a crash before anything of the new stream was seen.
        let isReplaced = try workshop.journal.checkpoints().contains {
            $0.shard.table == table && $0.shard.stream != stream
        }
        if try isReplaced || hasSkippedALoss(state) {
            workshop.skipped.note(table)
        } else {
            workshop.skipped.forget(table)
        }
        var desk = ShardDesk(
            workshop: workshop, schema: description.schema, stream: stream,
            lineage: Lineage(try checkpoints(of: stream)),
            positions: try await workshop.target.positions(of: table), startAt: startAt,
            wasAnchored: state?.segments.isEmpty == false || touched != nil || isReplaced)

        var scan: FullSync?
        switch (workshop.configuration.mode, state?.phase) {
        case (.incr, .fullSync):
            throw DaemonError.unfinishedScan(of: table, reason: state?.reason ?? "")
        case (.incr, nil):
            try await enter(.incrSync, from: nil, stream, "started with --mode incr", description.id)
        case (.incr, .incrSync), (.all, .incrSync):
            // Left there where the last daemon was killed at the end of the scan.
            try await TouchedKeys.remove(of: table, in: workshop.journal)
        case (.full, .incrSync):
            log.info("the full sync of this table is finished already")
            return .stopped
        case (.all, let phase), (.full, let phase):
            if touched == nil || state?.stream != desk.stream, try isPaused() {
                // Once the stream is anchored its day has begun: nothing is lost of what is not.
                follows()
                return try await waitForResumption() ? .beginsAgain : .stopped
            }
            guard let begun = try await beginScan(phase, state, touched, description, &desk) else { return .stopped }
            guard workshop.configuration.mode == .all else {
                return try await scanAlone(begun, desk.stream)
            }
            scan = begun
        }

        try await desk.recover()
        desk.forgetOld()
        return try await follow(desk, beside: scan, scan?.id ?? state?.fullSync, isOlder: unfinished != nil)
    }

    var log: Logger {
        var log = workshop.logger
        log[metadataKey: "table"] = "\(table)"
        return log
    }

    /// - Parameter id: which table has the name; `nil`: the one that had it before.
    func enter(
        _ phase: Phase, from: Phase?, _ stream: StreamARN?, _ reason: String, _ id: TableID? = nil
    ) async throws {
        let change = PhaseChanged(
            from: from, to: phase, stream: stream, reason: reason, tableID: id, wanted: wanted)
        _ = try await workshop.journal.append([Draft(table: table, [.phaseChanged(change)])])
        log.info("the table enters \(phase.rawValue)", metadata: ["reason": "\(reason)"])
    }

    // MARK: - Following

    /// - Parameters:
    ///   - scan: goes on beside it.
    ///   - fullSync: the newest that is known: where the journal says another, an operator has asked for it.
    ///   - isOlder: whether the table has another stream by now, or none.
    private func follow(
        _ known: ShardDesk, beside scan: FullSync?, _ fullSync: FullSyncID?, isOlder: Bool
    ) async throws -> Ending {
        try await withThrowingTaskGroup(of: Event.self) { group in
            group.addTask { await stopped() }
            group.addTask { await foreignAppends() }
            group.addTask { await list(known.stream, known.lineage) }
            // As many at most as there are shards: each tells how it has ended, once.
            let (events, outbox) = AsyncStream.makeStream(of: Event.self)
            group.addTask { [jobs = known.jobs] in
                await jobs.runWoken { outbox.yield($0) }
                return .nothing
            }
            group.addTask { await ofWoken(events) }
            var desk = known
            // Who sleeps has no task that could be cancelled.
            defer {
                group.cancelAll()
                desk.stopReaders()
                desk.endRests()
            }
            try desk.learnOfPause()
            /// Whether rows are still to come, and whether they are coming just now.
            var (owesScan, isScanning) = (scan != nil, scan != nil && desk.pause == nil)
            /// Stops the scan, where the table is paused or scanned anew.
            var halt = Signal()
            if !isScanning { halt.fire() }
            /// Whether an operator has asked for another full sync.
            var beginsAgain = try workshop.journal.table(table)?.fullSync != fullSync
            var scanBackoff = Backoff(first: .milliseconds(500), maximum: .seconds(30))
            if let scan, isScanning { group.addTask { [halt] in await run(scan, until: halt) } }
            var listingBackoff = Backoff(first: .milliseconds(500), maximum: .seconds(10))
            var lookups = 0
            /// Shards that have ended, and whose children are still to be asked for.
            var ended: Set<ShardID> = []
            var hasListed = false
            /// Whether nothing is left of the stream, and nobody has said that the table still has it.
            var mayBeOver = false
            /// Whether the service says that there is no such stream any more.
            var isGone = false
            var isStopping = false

            while var event = try await group.next() {
                if case .woken(let told) = event {
                    event = told
                    group.addTask { await ofWoken(events) }
                }
                switch event {
                case .stopped:
                    isStopping = true
                    desk.stopReaders()
                    if desk.running.isEmpty, !isScanning { group.cancelAll() }
                case .discoveryDue:
                    group.addTask { [stream = desk.stream, lineage = desk.lineage] in await list(stream, lineage) }
                case .listed where isStopping, .childrenFound where isStopping, .listingFailed where isStopping,
                    .described where isStopping, .notDescribed where isStopping:
                    break
                case .listed(let description, let asked):
                    await workshop.surroundings.passing(.inDiscovery)
                    // The process was suspended meanwhile: what is seen now counts as seen now.
                    guard workshop.now() - asked < Recovery.decision else {
                        later(.seconds(1), .discoveryDue, &group)
                        continue
                    }
                    listingBackoff.succeeded()
                    if !hasListed { follows() }
                    isGone = false
                    try await desk.admit(description.shards)
                    desk.finish(description.shards, asked: asked)
                    hasListed = true
                    later(workshop.configuration.discoveryInterval, .discoveryDue, &group)
                    mayBeOver = desk.hasNothingLeft
                    // One that was switched off may be that of a table that is gone.
                    if mayBeOver || description.isDisabled { group.addTask { await describedAgain() } }
                    if description.isDisabled, workshop.configuration.enablesStreams, !isOlder {
                        group.addTask { await enableNextStream() }
                    }
                case .listingFailed(let error):
                    // Shards that are known keep being read; only new ones are not seen meanwhile.
                    log.warning("the stream's shards can't be listed; tried again", metadata: ["error": "\(error)"])
                    workshop.vitals.listingFailed(table, error.description)
                    isGone = error.isNotFound
                    if isGone { group.addTask { await describedAgain() } }
                    if listingBackoff.failures == 0 { try await desk.fault(nil, .source(error)) }
                    if error.isNotFound, isOlder, !hasListed {
                        // It was there a moment ago: its day was over.
                        group.cancelAll()
                        return .streamOver
                    }
                    if !error.isRetryable, !hasListed { throw DaemonError.source(error) }
                    later(listingBackoff.next(jitter: workshop.random()), .discoveryDue, &group)
                case .described(let description):
                    if try isAnother(description), workshop.configuration.mode != .incr {
                        beginsAgain = true
                        break
                    }
                    let isOver = description.stream != desk.stream || !description.streamEnabled
                    mayBeOver = isOver && desk.hasNothingLeft
                    // Where it is too soon, the next listing asks again.
                    guard isOver, !owesScan, desk.running.isEmpty, lookups == 0,
                        mayBeOver ? workshop.haveEnded(desk.lineage.checkpoints.values) : isGone
                    else { break }
                    group.cancelAll()
                    return .streamOver
                case .notDescribed(let error):
                    log.warning("the table can't be described at its stream's end", metadata: ["error": "\(error)"])
                    if error.isNotFound { try await workshop.noteRemoval(of: table) }
                    // One of those that come and go is let go of when all of its stream is read.
                    if error.isNotFound, workshop.configuration.globs != nil, !owesScan, desk.running.isEmpty,
                        lookups == 0,
                        desk.hasNothingLeft, workshop.haveEnded(desk.lineage.checkpoints.values)
                    {
                        throw DaemonError.source(error)
                    }
                    if !error.isRetryable { mayBeOver = false }
                case .childrenFound(let shards, let parents, let asked):
                    lookups -= 1
                    guard workshop.now() - asked < Recovery.decision else {
                        ended.formUnion(parents)
                        break
                    }
                    try await desk.admit(desk.lineage.connected(shards))
                    mayBeOver = desk.hasNothingLeft
                    if mayBeOver, ended.isEmpty, lookups == 0 { group.addTask { await describedAgain() } }
                case .readerEnded(let shard, let result):
                    switch try await desk.ended(shard, result) {
                    case .findChildren:
                        workshop.vitals.finished(desk.key(shard))
                        if isStopping { break }
                        await workshop.surroundings.passing(.beforeChildren)
                        ended.insert(shard)
                        workshop.pulse.busy(table)
                    case .rest(let error):
                        try await rest(shard, after: error, &desk, &group)
                        continue  // what is tried again is not at rest
                    case .nothing: break
                    }
                    workshop.pulse.released(desk.key(shard))
                    workshop.vitals.released(desk.key(shard))
                case .readerFailed(let shard, let error):
                    if error.reach != .retry { throw error }
                    try await rest(shard, after: error, &desk, &group)
                // What follows depends on nothing of that, and would be asked once for each of thousands of shards. (What one that was
                // woken tells is taken over above.)
                case .readerAsleep, .woken: continue
                case .retryDue(let shard):
                    desk.retry(shard)
                case .foreignAppends:
                    let subjects = foreign.take()
                    if subjects.isEmpty { break }  // cancelled: the end is near
                    try desk.displace(subjects)
                    beginsAgain = try workshop.journal.table(table)?.fullSync != fullSync
                    group.addTask { await foreignAppends() }
                case .scanned(let isFinished):
                    isScanning = false
                    guard isFinished, let scan else { break }  // else the daemon is to stop
                    if try await finish(scan, desk.stream) { owesScan = false } else { beginsAgain = true }
                case .scanFailed(let error):
                    isScanning = false
                    guard try mayGoOn(after: error) else { throw error }
                    // Said once of each row of failures: it got on since, where no trouble is left.
                    if !workshop.vitals.isScanInTrouble(table) {
                        scanBackoff.succeeded()
                        try await desk.fault(nil, error)
                    }
                    workshop.vitals.scanFailed(table, error.description)
                    let delay = scanBackoff.next(jitter: workshop.random())
                    log.warning(
                        "the scan failed; it goes on after a while",
                        metadata: ["error": "\(error)", "in": .stringConvertible(delay)])
                    later(delay, .scanDue, &group)
                case .scanDue:
                    guard let scan, !isStopping, !isScanning, !halt.hasFired else { break }
                    isScanning = true
                    group.addTask { [halt] in await run(scan, until: halt) }
                case .nothing:
                    break
                }

                if isStopping {
                    if desk.running.isEmpty, !isScanning { group.cancelAll() }
                    continue
                }
                if desk.pause != nil {
                    halt.fire()
                } else if beginsAgain {
                    halt.fire()
                    desk.stopReaders()
                    guard desk.running.isEmpty, !isScanning else { continue }
                    group.cancelAll()
                    return .beginsAgain
                } else if let scan, owesScan, !isScanning, halt.hasFired {
                    log.info("the scan goes on")
                    workshop.pulse.busy(table)
                    (halt, isScanning) = (Signal(), true)
                    group.addTask { [halt] in await run(scan, until: halt) }
                }
                if !ended.isEmpty, lookups < Self.lookupsAtOnce {
                    lookups += 1
                    group.addTask { [stream = desk.stream, ended] in
                        await discovery(stream).children(of: ended)
                            .map { .childrenFound($0.shards, of: ended, $0.asked) } ?? .nothing
                    }
                    ended = []
                }
                try await desk.loseWhatStoodStill()
                for job in desk.takeEligible() { group.addTask { await job.run() } }
                // A table at the end of its stream comes to no rest before it is known what follows that.
                let isScanDue = isScanning || owesScan && desk.pause == nil
                if hasListed, lookups == 0, !mayBeOver, !isScanDue { workshop.pulse.atRest(table) }
            }
            return .stopped
        }
    }

    private func rest(
        _ shard: ShardID, after error: DaemonError, _ desk: inout ShardDesk,
        _ group: inout ThrowingTaskGroup<Event, any Error>
    ) async throws {
        let delay = try await desk.failed(shard, error)
        log.warning(
            "reading a shard failed; tried again",
            metadata: [
                "shard": "\(shard)", "error": "\(error)", "in": .stringConvertible(delay),
            ])
        later(delay, .retryDue(shard), &group)
    }

    /// Whether the stream is followed on though the scan can't go on: it may be able to again, or the source refuses its pages,
    /// and has given some before. One that never gave any is a mistake of whoever started the daemon.
    private func mayGoOn(after error: DaemonError) throws(JournalError) -> Bool {
        if error.reach == .retry { return true }
        guard case .source = error else { return false }
        return try workshop.journal.table(table)?.segments.isEmpty == false
    }

    /// - Returns: `.nothing` when it is cancelled.
    private func ofWoken(_ events: AsyncStream<Event>) async -> Event {
        var iterator = events.makeAsyncIterator()
        return await iterator.next().map { .woken($0) } ?? .nothing
    }

    private func stopped() async -> Event {
        await workshop.stop.wait()
        return .stopped
    }

    private func foreignAppends() async -> Event {
        await foreign.arrival()
        return .foreignAppends
    }

    private func later(
        _ delay: Duration, _ event: sending Event, _ group: inout ThrowingTaskGroup<Event, any Error>
    ) {
        group.addTask { await workshop.wait(delay) ? event : .nothing }
    }

    func discovery(_ stream: StreamARN) -> Discovery {
        Discovery(workshop: workshop, stream: stream, table: table)
    }

    private func list(_ stream: StreamARN, _ lineage: Lineage) async -> Event {
        do throws(DynamoDBError) {
            return try await discovery(stream).listing(beside: lineage).map { .listed($0.stream, $0.asked) } ?? .nothing
        } catch {
            return error.isCancelled ? .nothing : .listingFailed(error)
        }
    }

    /// The table, asked for again where its stream seems to be over; what can't be described now is asked for at the next
    /// listing.
    private func describedAgain() async -> Event {
        do throws(DynamoDBError) {
            return .described(try await workshop.source.describeTable(table))
        } catch {
            return error.isCancelled ? .nothing : .notDescribed(error)
        }
    }

    /// Look-ups for children at a time. DescribeStream may be called ten times a second (API Reference), and is what the
    /// listings need: of more shards that end together the children are found in one.
    private static let lookupsAtOnce = 4
}
