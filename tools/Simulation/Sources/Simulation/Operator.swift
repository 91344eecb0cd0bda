internal import DynamoDB
internal import Journal
internal import StreamModel
internal import StreamSim

/// What `shakectl rewind`, `ack` and `dead-letters` do, as a process of its own beside the daemon or without one.
struct Operator: Sendable {
    /// What may be done at all.
    enum Deed: CaseIterable, Sendable {
        case rewind
        /// A rewind is taken back.
        case undo
        /// A rewind to where nothing can be rewound to.
        case mistake
        case acknowledge
        case retry
        case settle
        case pause
        case resume
        case resync
    }

    /// A rewind that may be taken back: where each of its shards stood before.
    struct Done: Sendable {
        let shard: ShardKey
        let before: Position
    }

    private struct Refused: Error {
        let name: String
        let text: String

        init(_ name: String, _ text: String = "") {
            self.name = name
            self.text = text
        }
    }

    private let world: World
    private let folder: String
    private let life: Life
    private let surroundings: Surroundings

    /// - Parameter steps: after how many the process is killed.
    init(_ world: World, in folder: String, steps: Int = .max) {
        self.world = world
        self.folder = folder
        life = Life(world.conductor.lane(), steps: steps) { step in
            world.note("operator: killed")
            world.say("an operator's process is killed \(step.name)")
        }
        surroundings = world.surroundings(of: life)
    }

    /// - Parameter done: rewinds that may be taken back, the newest last.
    func act(_ deed: Deed, _ chance: inout Chance, _ done: inout [Done]) async {
        guard let journal = open() else { return }
        let running = Task(executorPreference: life.lane) { [chance, done] in
            var (chance, done) = (chance, done)
            await act(deed, journal, &chance, &done)
            return (chance, done)
        }
        life.begins(journal) { running.cancel() }
        (chance, done) = await running.value
        life.ends()
    }

    private func act(_ deed: Deed, _ journal: Journal, _ chance: inout Chance, _ done: inout [Done]) async {
        do throws(Refused) {
            let outcome =
                switch deed {
                case .rewind: try await rewind(journal, &chance, &done)
                case .undo: try await undo(journal, &chance, done)
                case .mistake: try await mistake(journal, &chance)
                case .acknowledge: try await acknowledge(journal, chance.pick([.skip, .resync, nil]))
                case .retry: try await retry(journal, isOffline: chance.percent(30))
                case .settle: try await settle(journal, &chance)
                case .pause: try await pause(.pause, journal, &chance)
                case .resume: try await pause(.resume, journal, &chance)
                case .resync: try await resync(journal, chance.pick(world.schemas).name)
                }
            if let outcome {
                world.note("operator: \(outcome.name)")
                world.say("operator: \(outcome.name) \(outcome.text)")
            }
        } catch {
            if life.isAlive { world.note("operator: \(error.name)") }
            world.say("operator: \(error.name) \(error.text)")
        }
        if life.isAlive { await journal.close(reason: "done") }
    }

    /// Says how tables that stand still go on, and has the dead letters tried again: the last of what an operator does.
    ///
    /// - Returns: whether there was anything to do.
    func putRight(_ chance: inout Chance) async -> Bool {
        guard let journal = open() else { return false }
        var hasActed = false
        do throws(Refused) {
            if try await resumeAll(journal) {
                world.note("pause: a run comes to rest beside it")
                hasActed = true
            }
            let losses = try checkpoints(journal).map(\.loss) + tables(journal).map(\.loss)
            if losses.contains(where: { $0?.stops == true }) {
                let outcome = try await acknowledge(journal, chance.pick([.skip, .resync]))
                world.say("operator: \(outcome?.name ?? "") \(outcome?.text ?? "")")
                hasActed = true
            }
            if try !letters(journal).isEmpty {
                do throws(Refused) {
                    guard try await retry(journal, isOffline: false) != nil else {
                        await journal.close(reason: "done")
                        return hasActed
                    }
                    world.say("operator: the dead letters are tried again")
                } catch {
                    world.note("operator: \(error.name)")
                    _ = try await settle(journal, letters: try letters(journal))
                    world.say("operator: the dead letters are settled, since \(error.text)")
                }
                hasActed = true
            }
        } catch {
            world.say("operator: \(error.name) \(error.text)")
        }
        await journal.close(reason: "done")
        return hasActed
    }

    /// Asks for another full sync of a table, whenever that is.
    func resync(_ table: TableName) async {
        guard let journal = open() else { return }
        let running = Task(executorPreference: life.lane) {
            do throws(Refused) {
                let outcome = try await resync(journal, table)
                world.say("operator: \(outcome?.name ?? "") \(outcome?.text ?? "")")
            } catch {
                world.say("operator: \(error.name) \(error.text)")
            }
            await journal.close(reason: "done")
        }
        life.begins(journal) { running.cancel() }
        await running.value
        life.ends()
    }

    private func open() -> Journal? {
        do throws(JournalError) {
            return try Journal.open(
                folder, .steward(RunStarted(role: "operator", version: "0", host: "simulated", pid: 2)),
                mapSize: DaemonProcess.mapSize, surroundings: surroundings, isInline: true)
        } catch {
            if case .noJournal = error { return nil }
            if case .notAJournal = error { return nil }
            world.violate(.journal, "an operator can't open it: \(error)")
            return nil
        }
    }

    private typealias Outcome = (name: String, text: String)

    /// Reads, decides and appends; anew where the daemon appended to the same shard between.
    private func append(
        _ journal: Journal, _ plan: () async throws(Refused) -> [Draft]
    ) async throws(Refused) -> [Receipt] {
        for _ in 0..<20 {
            let drafts = try await plan()
            guard !drafts.isEmpty else { return [] }
            do throws(JournalError) {
                return try await journal.append(drafts)
            } catch {
                switch error {
                case .conflict, .refused: world.note("operator: overtaken by an append")
                default: throw Refused("killed or closed", "\(error)")
                }
            }
        }
        throw Refused("overtaken each time")
    }

    private func checkpoints(_ journal: Journal) throws(Refused) -> [Checkpoint] {
        do throws(JournalError) { return try journal.checkpoints() } catch { throw Refused("journal", "\(error)") }
    }

    private func tables(_ journal: Journal) throws(Refused) -> [TableState] {
        do throws(JournalError) { return try journal.tables() } catch { throw Refused("journal", "\(error)") }
    }

    // MARK: - Rewinding

    /// Rewinds some shard that has come somewhere to some place before that.
    private func rewind(
        _ journal: Journal, _ chance: inout Chance, _ done: inout [Done]
    ) async throws(Refused) -> Outcome? {
        let all = try checkpoints(journal)
        let begun = all.filter { $0.sequenceNumber != nil }
        // Less often any, whatever has become of it.
        let some = chance.percent(75) && !begun.isEmpty ? begun : all
        guard !some.isEmpty else { return nil }
        let shard = chance.pick(some).shard
        let (fraction, toStart, isInclusive) = (chance.unit(), chance.percent(20), chance.percent(30))
        return try await rewind(journal, shard, isOffline: chance.percent(30), &done) { checkpoint in
            guard let number = checkpoint.sequenceNumber else { return (.start, false) }
            guard let place = place(before: number, of: shard, fraction, toStart: toStart) else { return nil }
            return (place, isInclusive)
        }
    }

    private func rewind(
        _ journal: Journal, _ shard: ShardKey, isOffline: Bool, _ done: inout [Done],
        _ place: (Checkpoint) -> (RewindRequest.Place, inclusive: Bool)?
    ) async throws(Refused) -> Outcome? {
        var before: [Done] = []
        var text = ""
        var cascaded = 0
        let receipts = try await append(journal) { () throws(Refused) in
            let checkpoints = try checkpoints(journal)
            guard let current = checkpoints.first(where: { $0.shard == shard }),
                let (place, isInclusive) = place(current)
            else { return [] }
            let request = RewindRequest(
                place: place, inclusive: isInclusive, reason: "simulated", author: "operator@simulated")
            let plan: RewindPlan
            let stream = try tables(journal).first { $0.table == shard.table }?.stream
            do throws(RewindRefusal) {
                try RewindPlan.check(shard, followedBy: stream)
                plan = try RewindPlan.make(request, of: shard, among: checkpoints)
            } catch {
                throw Refused("rewind refused, \(Self.kind(of: error))", "\(error)")
            }
            if !isOffline { try await ask(plan) }
            let all = [shard] + plan.cascaded
            before = all.compactMap { shard in
                checkpoints.first { $0.shard == shard }.map { Done(shard: shard, before: $0.position) }
            }
            cascaded = plan.cascaded.count
            text = "of \(shard) from \(plan.from?.text ?? "its start") to \(plan.to?.text ?? "its start")"
            await surroundings.passing(.inRewind)
            return plan.drafts
        }
        guard !receipts.isEmpty else { return nil }
        done += before
        return (cascaded > 0 ? "rewind with a cascade" : "rewind", text + ", with \(cascaded) more")
    }

    /// A record at or before `number`, or the shard's start.
    private func place(
        before number: SequenceNumber, of shard: ShardKey, _ fraction: Double, toStart: Bool
    ) -> RewindRequest.Place? {
        world.truth { truth in
            guard let log = truth.shards[shard], let last = log.places[number] else { return nil }
            return toStart ? .start : .sequenceNumber(log.records[Int(Double(last + 1) * fraction)].number)
        }
    }

    /// As the command that a rewind prints does it: back to where the shard stood before.
    private func undo(_ journal: Journal, _ chance: inout Chance, _ done: [Done]) async throws(Refused) -> Outcome? {
        guard !done.isEmpty else { return nil }
        let last = chance.percent(70) ? done[done.count - 1] : chance.pick(done)
        let then: Checkpoint?
        do throws(JournalError) {
            then = try journal.checkpoint(of: last.shard, at: last.before)
        } catch {
            throw Refused("journal", "\(error)")
        }
        guard let then else { return nil }
        var none: [Done] = []
        let outcome = try await rewind(journal, last.shard, isOffline: true, &none) { _ in (.checkpoint(then), false) }
        return outcome.map { ("undo of a rewind", $0.text) }
    }

    private func mistake(_ journal: Journal, _ chance: inout Chance) async throws(Refused) -> Outcome? {
        let all = try checkpoints(journal)
        guard !all.isEmpty else { return nil }
        let shard = chance.pick(all).shard
        let kind = chance.below(4)
        var none: [Done] = []
        let unknown = ShardKey(table: shard.table, stream: shard.stream, shard: ShardID("shardId-unknown"))
        if kind == 0 {
            do throws(RewindRefusal) {
                let request = RewindRequest(place: .start, inclusive: false, reason: "", author: "")
                _ = try RewindPlan.make(request, of: unknown, among: all)
                world.violate(.journal, "a shard that is not known can be rewound")
            } catch {
                throw Refused("rewind refused, \(Self.kind(of: error))", "\(error)")
            }
        }
        return try await rewind(journal, shard, isOffline: true, &none) { current in
            let number: SequenceNumber? =
                switch kind {
                case 1: SequenceNumber("1")
                case 2: current.range.ending.flatMap { SequenceNumber($0.text + "0") }
                default: SequenceNumber((current.sequenceNumber ?? current.range.starting).map { $0.text + "0" } ?? "9")
                }
            // Ahead, and not behind its end.
            if kind == 3, current.range.isClosed { return nil }
            return number.map { (.sequenceNumber($0), false) }
        }
    }

    /// Asks the stream for the iterator that the replay will begin with: it refuses where the records are gone.
    private func ask(_ plan: RewindPlan) async throws(Refused) {
        do throws(DynamoDBError) {
            _ = try await DaemonProcess.client(life, world, surroundings).iterator(
                plan.needs.type, at: plan.needs.sequenceNumber, shard: plan.shard)
        } catch {
            if error.isTrimmed || error.isNotFound { throw Refused("rewind refused, trimmed", "\(error)") }
            throw Refused("rewind refused, the source can't be asked", "\(error)")
        }
    }

    private static func kind(of refusal: RewindRefusal) -> String {
        switch refusal {
        case .unknownShard: "an unknown shard"
        case .anotherShard: "another shard's checkpoint"
        case .olderStream: "an older stream"
        case .beforeStart: "before the shard"
        case .behindEnd: "behind the shard"
        case .ahead(_, _, let current): current == nil ? "ahead of a start" : "ahead of the checkpoint"
        case .belowReplay: "a parent is replayed"
        }
    }

    // MARK: - Losses

    private func acknowledge(_ journal: Journal, _ remedy: LossPolicy?) async throws(Refused) -> Outcome? {
        var text = ""
        let receipts = try await append(journal) { () throws(Refused) in
            let (tables, checkpoints) = (try tables(journal), try checkpoints(journal))
            let stopped =
                tables.filter { $0.loss?.stops == true }.map(\.table)
                + checkpoints.filter { $0.loss?.stops == true }.map(\.shard.table)
            // A remedy is for those that stand still; where none does it is refused.
            let plans = try world.schemas.map(\.name)
                .filter { remedy == nil || stopped.isEmpty || stopped.contains($0) }
                .map { (table) throws(Refused) in try plan(remedy, of: table, tables, checkpoints) }
            text = "\(plans.reduce(0) { $0 + $1.steps.count }) losses"
            return plans.flatMap(\.drafts)
        }
        if receipts.isEmpty { throw Refused("ack, nothing waits") }
        return ("ack\(remedy.map { " --\($0.rawValue)" } ?? "")", text)
    }

    /// The daemon that follows it may be another one, and scan: what it can't do it says itself.
    private func plan(
        _ remedy: LossPolicy?, of table: TableName, _ tables: [TableState], _ checkpoints: [Checkpoint]
    ) throws(Refused) -> AckPlan {
        let request = AckRequest(table: table, remedy: remedy, reason: "simulated", author: "operator@simulated")
        do throws(AckRefusal) {
            return try AckPlan.make(
                request, of: tables.first { $0.table == table }, among: checkpoints, isScanned: true)
        } catch {
            throw Refused("ack refused, not stopped", "\(error)")
        }
    }

    // MARK: - Pausing

    /// A table, or a shard: mostly such a one as the word is for.
    private func pause(
        _ deed: PauseRequest.Deed, _ journal: Journal, _ chance: inout Chance
    ) async throws(Refused) -> Outcome? {
        let request = PauseRequest(deed, reason: "simulated", author: "operator@simulated")
        let (isAny, isTable) = (chance.percent(15), chance.percent(50))
        let paused = try tables(journal).filter { $0.pause != nil }.map(\.table)
        let known = try checkpoints(journal)
        let shards = known.filter {
            isAny || (deed == .resume ? $0.pause != nil : !$0.status.letsChildrenStart && $0.pause == nil)
        }.map(\.shard)
        var isDone = true
        let name: String
        if isTable || shards.isEmpty {
            // The command takes no other.
            let tables = world.schemas.map(\.name).filter { table in known.contains { $0.shard.table == table } }
            guard !tables.isEmpty else { return nil }
            let table = chance.pick(deed == .resume && !isAny && !paused.isEmpty ? paused : tables)
            name = "\(deed.rawValue) of a table"
            _ = try await append(journal) { () throws(Refused) in
                let plan = PausePlan.make(request, of: table, try self.tables(journal).first { $0.table == table })
                isDone = plan.drafts.isEmpty
                return plan.drafts
            }
        } else {
            let shard = chance.pick(shards)
            name = "\(deed.rawValue) of a shard"
            _ = try await append(journal) { () throws(Refused) in
                guard let checkpoint = try checkpoints(journal).first(where: { $0.shard == shard }) else { return [] }
                do throws(PauseRefusal) {
                    let plan = try PausePlan.make(request, of: checkpoint)
                    isDone = plan.drafts.isEmpty
                    return plan.drafts
                } catch {
                    throw Refused("pause refused, the shard is over", "\(error)")
                }
            }
        }
        return (isDone ? "\(deed.rawValue), it is so already" : name, "")
    }

    /// - Returns: whether anything was paused.
    private func resumeAll(_ journal: Journal) async throws(Refused) -> Bool {
        let request = PauseRequest(.resume, reason: "simulated", author: "operator@simulated")
        let receipts = try await append(journal) { () throws(Refused) in
            var drafts = try tables(journal).flatMap { PausePlan.make(request, of: $0.table, $0).drafts }
            for checkpoint in try checkpoints(journal) {
                do throws(PauseRefusal) {
                    drafts += try PausePlan.make(request, of: checkpoint).drafts
                } catch {
                    throw Refused("resume refused", "\(error)")
                }
            }
            return drafts
        }
        return !receipts.isEmpty
    }

    // MARK: - Another full sync

    private func resync(_ journal: Journal, _ table: TableName) async throws(Refused) -> Outcome? {
        let request = ResyncRequest(table: table, reason: "simulated", author: "operator@simulated")
        var name = ""
        let receipts = try await append(journal) { () throws(Refused) in
            let state = try tables(journal).first { $0.table == table }
            let checkpoints = try checkpoints(journal)
            // The command knows of no other.
            guard state != nil || checkpoints.contains(where: { $0.shard.table == table }) else { return [] }
            do throws(AckRefusal) {
                let plan = try ResyncPlan.make(request, of: state, among: checkpoints, isScanned: world.scans)
                name =
                    if !plan.losses.isEmpty { "resync, the answer to a loss" } else if state?.pause != nil {
                        "resync, of a paused table"
                    } else if state?.phase == .fullSync { "resync, beside a scan" } else { "resync" }
                return plan.drafts
            } catch {
                throw Refused("resync refused, never scanned", "\(error)")
            }
        }
        return receipts.isEmpty ? nil : (name, "of \(table)")
    }

    // MARK: - Dead letters

    private func letters(_ journal: Journal) throws(Refused) -> [WaitingLetter] {
        do throws(JournalError) { return try journal.waitingLetters() } catch { throw Refused("journal", "\(error)") }
    }

    /// All of them, each shard back to its first.
    private func retry(_ journal: Journal, isOffline: Bool) async throws(Refused) -> Outcome? {
        let waiting = try letters(journal)
        guard !waiting.isEmpty else { throw Refused("dead letters, none waits") }
        let shards = Dictionary(grouping: waiting.filter { $0.shard != nil }) { $0.shard }
        guard !shards.isEmpty else { throw Refused("dead-letters retry refused, an item of a scan") }
        var hasRewound = false
        for (shard, letters) in shards.sorted(by: { $0.value[0].position < $1.value[0].position }) {
            guard let checkpoint = try checkpoints(journal).first(where: { $0.shard == shard }) else { continue }
            switch letters.retrial(of: checkpoint) {
            case .comesAgain: break
            case .outOfReach: throw Refused("dead-letters retry refused, out of reach", "\(checkpoint.shard)")
            case .rewind(let first):
                var none: [Done] = []
                _ = try await rewind(journal, checkpoint.shard, isOffline: isOffline, &none) { _ in
                    (.sequenceNumber(first), true)
                }
                hasRewound = true
            }
        }
        guard hasRewound else { return nil }
        return ("dead-letters retry", "\(waiting.count) letters")
    }

    private func settle(_ journal: Journal, _ chance: inout Chance) async throws(Refused) -> Outcome? {
        let waiting = try letters(journal)
        guard !waiting.isEmpty else { throw Refused("dead letters, none waits") }
        return try await settle(journal, letters: [chance.pick(waiting)])
    }

    private func settle(_ journal: Journal, letters chosen: [WaitingLetter]) async throws(Refused) -> Outcome? {
        let positions = Set(chosen.map(\.position))
        _ = try await append(journal) { () throws(Refused) in
            try letters(journal).filter { positions.contains($0.position) }
                .settling(author: "operator@simulated", reason: "simulated")
        }
        return ("dead-letters settle", "\(chosen.count) letters")
    }
}
