internal import DynamoDB
package import Journal
package import Logging
package import StreamModel
package import Targets

/// Keeps all tables in step, each on its own: one that fails never takes the others down.
package final class Daemon: Sendable {
    /// How long calls of the source may take after the daemon was told to stop.
    private static let grace: Duration = .seconds(5)

    private let configuration: DaemonConfiguration
    private let workshop: Workshop
    /// The account's tables were listed once, where that is asked for.
    private let hasListed = Signal()
    private let report: (@Sendable (VitalSigns) -> Void)?

    /// - Parameters:
    ///   - instruments: what counts and times go into.
    ///   - report: is given the daemon's vital signs every `vitalsInterval`; `nil`: nobody asks how it fares.
    package init(
        configuration: DaemonConfiguration, journal: Journal, source: any StreamSource, target: any Target,
        logger: Logger, observer: any ProgressObserver = NoProgress(), surroundings: Surroundings = Surroundings(),
        instruments: Instruments = Instruments(), report: (@Sendable (VitalSigns) -> Void)? = nil
    ) {
        self.configuration = configuration
        self.report = report
        let stop = Signal()
        let budget = ByteBudget(capacity: configuration.memoryBudget)
        let vitals = Vitals(
            tables: configuration.tables, areListed: configuration.globs != nil, now: surroundings.now,
            uptime: surroundings.uptime)
        workshop = Workshop(
            configuration: configuration, journal: journal, source: source, target: target,
            writer: TargetWriter(
                target: target, journal: journal, logger: logger, surroundings: surroundings, vitals: vitals,
                instruments: instruments
            ) { delay in
                await Workshop.wait(delay, or: stop, in: surroundings)
            },
            deadLetters: DeadLetterFile("\(journal.path)/\(DeadLetterFile.name)"),
            budget: budget,
            turns: Turns(
                configuration.limits, budget: budget, surroundings: surroundings,
                callsMadeAgain: { source.readsMadeAgain }),
            pulse: Pulse(tables: configuration.tables, uptime: surroundings.uptime),
            vitals: vitals, instruments: instruments, stop: stop, observer: observer, surroundings: surroundings,
            logger: logger)
    }

    /// Bytes of pages that are held now, and as many as may be.
    package var heldBytes: (now: Int, most: Int) { (workshop.budget.held, workshop.budget.capacity) }

    /// Finish what is in flight, append it, and return from `run`.
    package func stop() { workshop.stop.fire() }

    private enum Event: Sendable {
        case tableEnded(TableName, DaemonError?)
        /// Those of the account that are to be followed.
        case tablesListed([TableName])
        /// Nor can it be waited for that they are.
        case tablesNotListed(DynamoDBError)
        case idle
        /// Whatever is still waited for was not done in time.
        case graceOver
        /// Nothing can be read from it, or appended to it, any more.
        case journalFailed(JournalError)
        case nothing
    }

    /// Runs until stopped, until idle, or until nothing can go on. The target is closed afterwards.
    package func run() async throws(DaemonError) {
        let result: Result<Void, DaemonError>
        do {
            try await openTarget()
            result = await superviseTables()
        } catch {
            result = .failure(error)
        }
        await workshop.target.close()
        try result.get()
    }

    private func openTarget() async throws(DaemonError) {
        let tokens: [TargetToken]
        do throws(JournalError) {
            tokens =
                try workshop.journal.checkpoints().compactMap(\.targetToken)
                + workshop.journal.tables().compactMap(\.targetToken)
        } catch {
            throw .journal(error)
        }
        do throws(TargetError) { try await workshop.target.open(recoveringTo: tokens) } catch { throw .target(error) }
    }

    private func superviseTables() async -> Result<Void, DaemonError> {
        let failures = Failures(tables: Set(configuration.tables))
        let inboxes = Inboxes()

        return await withTaskGroup(of: Event.self) { group in
            var running = 0
            func begin(_ table: TableName, at start: IteratorType) {
                guard let inbox = inboxes.add(table) else { return }
                workshop.instruments.begins(table)
                running += 1
                group.addTask { await self.supervise(table, at: start, inbox, failures) }
            }
            /// What a listing shows that was not in the one before was made since, and so was all that is in it.
            var start = configuration.startAt
            for table in configuration.tables { begin(table, at: start) }
            if configuration.globs != nil { group.addTask { await self.listTables(after: .zero, failures) } }
            group.addTask { await self.watch(inboxes) }
            group.addTask { await self.grantGrace() }
            group.addTask { await self.tellHealth(failures) }
            group.addTask { await self.compactJournal() }
            if let patience = configuration.untilIdle {
                group.addTask { await self.waitForIdle(patience) }
            }

            var fatal: DaemonError?
            while let event = await group.next() {
                switch event {
                case .tableEnded(let table, let error):
                    running -= 1
                    // Where the daemon is to stop, its work has ended and the table is not gone: what it failed with counts.
                    if configuration.globs != nil, error == nil, !hasEnd, !workshop.stop.hasFired {
                        leave(table, inboxes, failures)
                    }
                    if let error, error.reach == .daemon { fatal = fatal ?? error }
                    // An error here means that nothing, or no table, can go on: there is nothing to wait for.
                    if error != nil { workshop.stop.fire() }
                    if running == 0, configuration.globs == nil || hasEnd || workshop.stop.hasFired {
                        group.cancelAll()
                    }
                case .tablesListed(let tables):
                    let found = tables.filter { !inboxes.has($0) }
                    var missed: [TableName] = []
                    do throws(JournalError) {
                        if !hasListed.hasFired { missed = try knownButUnlisted(tables) }
                    } catch {
                        fatal = fatal ?? .journal(error)
                        workshop.stop.fire()
                    }
                    for table in found {
                        workshop.logger.notice("a table of the account is followed", metadata: ["table": "\(table)"])
                    }
                    for table in found + missed {
                        failures.begins(table)
                        workshop.vitals.begins(table)
                        workshop.pulse.busy(table)
                        begin(table, at: start)
                    }
                    workshop.vitals.tablesListed()
                    start = .trimHorizon
                    hasListed.fire()
                    if hasEnd {
                        if running == 0 { group.cancelAll() }
                    } else {
                        group.addTask { await self.listTables(after: self.configuration.tablesInterval, failures) }
                    }
                case .tablesNotListed(let error):
                    fatal = fatal ?? .source(error)
                    workshop.stop.fire()
                case .idle:
                    workshop.logger.info("every table is in step and nothing came; ending as --until-idle asks")
                    workshop.stop.fire()
                case .graceOver: group.cancelAll()
                case .journalFailed(let error):
                    fatal = fatal ?? .journal(error)
                    workshop.stop.fire()
                case .nothing:
                    if running == 0, workshop.stop.hasFired { group.cancelAll() }
                }
            }
            if let fatal { return .failure(fatal) }
            return failures.verdict(
                ending: configuration.untilIdle != nil || hasEnd)
        }
    }

    /// Whether there is a last thing to do for each table.
    private var hasEnd: Bool { configuration.mode == .full || configuration.preparesOnly }

    /// Those that were dropped while no daemon ran, by the first list of all: that they are gone is seen, and said, where they are
    /// described. Where not one that is known is listed, it is rather another region or account that was asked, and nothing may be
    /// said to be gone.
    private func knownButUnlisted(_ listed: [TableName]) throws(JournalError) -> [TableName] {
        let listed = Set(listed)
        let known = try workshop.journal.tables().filter { state in
            state.removed == nil && configuration.globs?.selects(state.table) == true
        }.map(\.table)
        let missed = known.filter { !listed.contains($0) }
        return missed.count < known.count ? missed : []
    }

    /// It is gone from the account. What the journal and the target have of it stays.
    private func leave(_ table: TableName, _ inboxes: Inboxes, _ failures: Failures) {
        inboxes.remove(table)
        failures.leaves(table)
        workshop.pulse.atRest(table)
        workshop.pulse.dropShards(of: table)
        workshop.vitals.leaves(table)
    }

    /// What can't be listed now is listed the next time; the tables that are followed go on. Of a first listing that fails for
    /// good, or beside which no table could even begin, whoever started the daemon had better hear now.
    private func listTables(after delay: Duration, _ failures: Failures) async -> Event {
        guard let globs = configuration.globs else { return .nothing }
        if delay > .zero, !(await workshop.wait(delay)) { return .nothing }
        var backoff = Backoff(first: .milliseconds(500), maximum: .seconds(30))
        while !workshop.stop.hasFired {
            do throws(DynamoDBError) {
                return .tablesListed(try await workshop.source.listTables().filter(globs.selects).sorted())
            } catch {
                if error.isCancelled { return .nothing }
                if !hasListed.hasFired, !error.isRetryable || failures.allFailed { return .tablesNotListed(error) }
                workshop.vitals.tablesNotListed("\(error)")
                let rest = backoff.next(jitter: workshop.random())
                workshop.logger.error(
                    "the account's tables can't be listed; tried again",
                    metadata: ["error": "\(error)", "in": .stringConvertible(rest)])
                guard await workshop.wait(rest) else { return .nothing }
            }
        }
        return .nothing
    }

    // MARK: - One table

    /// Follows a table, begins again after what can pass, and waits where an operator must act.
    ///
    /// - Parameter start: where its stream begins, if nothing is known of it and nothing is copied.
    private func supervise(
        _ table: TableName, at start: IteratorType, _ inbox: Inbox<Subject>, _ failures: Failures
    ) async -> Event {
        var backoff = Backoff(first: .milliseconds(500), maximum: .seconds(30))
        var log = workshop.logger
        log[metadataKey: "table"] = "\(table)"
        while !workshop.stop.hasFired {
            let started = workshop.surroundings.uptime()
            do {
                let follower = TableFollower(workshop: workshop, table: table, startAt: start, foreign: inbox) {
                    failures.follows(table)
                }
                try await follower.run()
                workshop.pulse.atRest(table)
                failures.follows(table)
                return .tableEnded(table, nil)
            } catch {
                guard let error = asDaemonError(error) else { return .tableEnded(table, nil) }
                if workshop.surroundings.uptime() - started > .seconds(60) { backoff.succeeded() }
                if configuration.globs != nil, !configuration.tables.contains(table), error.isOfNoTable {
                    await journal(error, of: table, isFirst: false)
                    return .tableEnded(table, nil)
                }
                let next = AfterFailure.decide(error, mode: configuration.mode, onLoss: configuration.onLoss[table])
                if next == .daemonEnds { return .tableEnded(table, error) }
                await journal(error, of: table, isFirst: backoff.failures == 0)
                workshop.pulse.dropShards(of: table)
                workshop.vitals.failed(table, error.description, needsOperator: next.needsOperator)
                if next.needsOperator || next == .triesAgain && !failures.hasFollowed(table) {
                    failures.failed(table, error)
                    // No table can go on, or none could even begin: whoever started the daemon had better hear of it now.
                    if configuration.globs == nil, failures.allFailed { return .tableEnded(table, error) }
                }
                log.error("\(error)")
                if next.needsOperator { workshop.pulse.atRest(table) }
                // Who waits for the end of a copy is told of it by the exit code, when the others are done.
                if next.needsOperator, hasEnd { return .tableEnded(table, nil) }
                if next == .waitsForWord {
                    guard await anOperatorActs(inbox) else { return .tableEnded(table, nil) }
                    workshop.pulse.busy(table)
                    continue
                }
                let delay = backoff.next(jitter: workshop.random())
                log.info("the table is begun again", metadata: ["in": .stringConvertible(delay)])
                guard await workshop.wait(delay) else { return .tableEnded(table, nil) }
            }
        }
        return .tableEnded(table, nil)
    }

    /// Waits until somebody else has appended something about the table; `false` once the daemon is to stop.
    private func anOperatorActs(_ inbox: Inbox<Subject>) async -> Bool {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await inbox.arrival() }
            group.addTask { await self.workshop.stop.wait() }
            await group.next()
            group.cancelAll()
        }
        _ = inbox.take()
        return !workshop.stop.hasFired && !Task.isCancelled
    }

    /// Only the first of a row of the same: the journal must not grow with every try.
    private func journal(_ error: DaemonError, of table: TableName, isFirst: Bool) async {
        var payloads: [Payload] = [
            .faulted(Faulted(code: error.code, message: error.description, isRetried: error.reach == .retry))
        ]
        do throws(JournalError) {
            if error.isOfNoTable, try await workshop.noteRemoval(of: table) {
                let isUnread = try workshop.journal.checkpoints().contains {
                    $0.shard.table == table && !$0.status.letsChildrenStart
                }
                guard isUnread else { return }
                return workshop.logger.warning(
                    "what was left of the stream of a table that is gone is not read", metadata: ["table": "\(table)"])
            }
            if case .needsFullSync(_, let reason) = error {
                let state = try workshop.journal.table(table)
                payloads.append(
                    .phaseChanged(
                        PhaseChanged(from: state?.phase, to: .fullSync, stream: state?.stream, reason: reason)))
            } else if !isFirst {
                return
            }
            _ = try await workshop.journal.append([Draft(table: table, payloads)])
        } catch {
            workshop.logger.error(
                "the journal did not take the fault", metadata: ["table": "\(table)", "error": "\(error)"])
        }
    }

    // MARK: - Watching

    private func watch(_ inboxes: Inboxes) async -> Event {
        do throws(JournalError) {
            while await workshop.wait(workshop.configuration.watchInterval) {
                for subject in try await workshop.journal.foreignAppends() {
                    if let table = subject.table { inboxes[table]?.put([subject]) }
                }
            }
            return .nothing
        } catch {
            return .journalFailed(error)
        }
    }

    /// Says how the daemon fares, and puts each change of it into the log.
    private func tellHealth(_ failures: Failures) async -> Event {
        guard let report else { return .nothing }
        var limits = Health.Limits(
            maximumPoll: configuration.maximumPoll, discoveryInterval: configuration.discoveryInterval)
        limits.callsAtOnce = min(CallLimits.atOnce, workshop.budget.capacity / ByteBudget.reply)
        var known: [TableName: Health] = [:]
        var journaled: [TableName: (state: TableState, checkpoints: [Checkpoint])] = [:]
        var due = workshop.surroundings.uptime()
        var writer = AppendWatch()
        var readers = ReaderWatch(patience: configuration.readerPatience)
        var slowReader: ReaderWatch.Slow?
        var readersDue = due
        repeat {
            var signs = workshop.vitals.signs(of: configuration.worker, limits)
            signs.limits.stretch(for: signs.tables.map(\.shards.count), configuration.limits)
            let (appends, uptime, written) = (
                workshop.journal.appends, workshop.surroundings.uptime(), signs.written
            )
            /// What is measured by uptime is told by the clock.
            func told(_ moment: Duration?) -> Timestamp? { moment.map { written + ($0 - uptime) } }
            signs.journalBusySince = told(
                writer.look(asked: appends.asked, answered: appends.answered, uptime: uptime))
            signs.isUp =
                failures.haveFollowed || configuration.globs != nil && signs.unlisted == nil && signs.tables.isEmpty
            if workshop.surroundings.uptime() >= readersDue {
                readersDue = workshop.surroundings.uptime() + configuration.readersInterval
                slowReader = tendReaders(&readers, before: slowReader)
            }
            signs.slowReader = slowReader.map { Self.told($0, uptime: uptime, now: written) }
            report(signs)
            let began = workshop.surroundings.uptime()
            if began >= due {
                do throws(JournalError) { journaled = try tablesInJournal() } catch { return .journalFailed(error) }
                due = began + (workshop.surroundings.uptime() - began) * Self.healthShare
            }
            for table in workshop.vitals.tables {
                let (state, checkpoints) = journaled[table] ?? (TableState(table: table), [])
                let worst = Health.worst(of: state, checkpoints, signs, now: workshop.now())
                let health = worst?.health ?? .ok
                defer { known[table] = health }
                guard health != known[table, default: .ok] else { continue }
                workshop.logger.log(
                    level: health == .ok ? .notice : health == .degraded ? .warning : .error, "health changed",
                    metadata: ["table": "\(table)", "health": "\(health.rawValue)", "reason": "\(worst?.reason ?? "")"])
            }
        } while await workshop.wait(configuration.vitalsInterval)
        return .nothing
    }

    /// Frees the slots of killed readers, and says who keeps the journal's file growing.
    private func tendReaders(_ readers: inout ReaderWatch, before: ReaderWatch.Slow?) -> ReaderWatch.Slow? {
        let (now, uptime) = (workshop.now(), workshop.surroundings.uptime())
        let census: ReaderCensus
        do throws(JournalError) { census = try workshop.journal.tendReaders() } catch {
            // What is wrong with the journal shows where it is read or written.
            workshop.logger.debug("the journal's readers can't be looked at", metadata: ["error": "\(error)"])
            return before
        }
        if census.freed > 0 {
            workshop.logger.notice(
                "readers of the journal were killed; their slots are free again",
                metadata: ["readers": "\(census.freed)"])
        }
        let slowest = readers.judge(census, uptime: uptime, look: ProcessLook.at)
        if let slowest, before?.reader != slowest.reader || before?.since != slowest.since {
            workshop.logger.warning("\(Self.told(slowest, uptime: uptime, now: now).spoken(now))")
        } else if slowest == nil, let before {
            workshop.logger.notice(
                readers.isReading(before.reader)
                    ? "who reads an old state of the journal is at work again, and none of the room that is given up is used until it ends"
                    : "the room of the journal is used again: who read an old state of it does so no more",
                metadata: ["pid": "\(before.reader.pid)", "grown": "\(before.grown)"])
        }
        return slowest
    }

    /// With what is measured by uptime in time of the clock.
    private static func told(
        _ slow: ReaderWatch.Slow, uptime: Duration, now: Timestamp
    ) -> VitalSigns.SlowReader {
        VitalSigns.SlowReader(
            pid: slow.reader.pid, name: slow.name, since: now + (slow.since - uptime),
            transactions: slow.transactions, grown: slow.grown, activity: slow.activity)
    }

    /// Asking the journal for health may take one part in so many of a thread's time: years of shards are not read every other
    /// second.
    private static let healthShare = 100

    private func tablesInJournal() throws(JournalError) -> [TableName: (state: TableState, checkpoints: [Checkpoint])] {
        // Of shards that are over, of which there are more with each hour, only what may be complained about; and of each stream
        // the one that was last worked on, by which a fault is told from one that was.
        var checkpoints: [TableName: [Checkpoint]] = [:]
        var newest: [TableName: [StreamARN: Checkpoint]] = [:]
        try workshop.journal.forEachCheckpoint { checkpoint in
            let key = checkpoint.shard
            if !checkpoint.status.letsChildrenStart || checkpoint.loss != nil || !checkpoint.refusals.isEmpty {
                checkpoints[key.table, default: []].append(checkpoint)
            } else if newest[key.table]?[key.stream].map({ $0.updated < checkpoint.updated }) ?? true {
                newest[key.table, default: [:]][key.stream] = checkpoint
            }
        }
        var found: [TableName: (state: TableState, checkpoints: [Checkpoint])] = [:]
        for table in workshop.vitals.tables {
            let state = try workshop.journal.table(table) ?? TableState(table: table)
            found[table] = (state, checkpoints[table, default: []] + (newest[table] ?? [:]).values)
        }
        return found
    }

    /// Keeps the journal from growing for ever. What fails here for now is tried again at the next hour: the tables go on
    /// without. A journal that is found damaged or out of order ends the daemon, whoever finds it.
    private func compactJournal() async -> Event {
        repeat {
            do throws(JournalError) {
                let report = try await workshop.journal.compact(configuration.folding)
                guard report.folded > 0 else { continue }
                workshop.logger.info(
                    "old events were folded together in the journal",
                    metadata: ["events": "\(report.folded)", "bytes": "\(report.freedBytes)"])
            } catch {
                workshop.logger.error("the journal could not be compacted", metadata: ["error": "\(error)"])
                switch error {
                case .damaged, .closed, .disk: return .journalFailed(error)
                default: break
                }
            }
        } while await workshop.wait(configuration.folding.interval)
        return .nothing
    }

    /// A source that doesn't answer shall not keep a daemon that was told to stop. What is in the target's hands is finished
    /// all the same: a delivery can't be cancelled.
    private func grantGrace() async -> Event {
        await workshop.stop.wait()
        try? await workshop.surroundings.sleep(for: Self.grace)
        return .graceOver
    }

    private func waitForIdle(_ patience: Duration) async -> Event {
        if configuration.globs != nil { await hasListed.wait() }
        while true {
            let idle = workshop.pulse.idleTime()
            if let idle, idle >= patience { return .idle }
            // Sleeps to the earliest moment at which it can be true; a scan of days is not asked ten times a second.
            let rest = max(idle.map { patience - $0 } ?? patience / 10, .milliseconds(10))
            guard await workshop.wait(rest) else { return .nothing }
        }
    }
}
