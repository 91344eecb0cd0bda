internal import DequeModule
internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Targets

/// Drives one shard's machine: knows how, never whether.
///
/// Each action that takes time runs in a child task and comes back as the machine's next event, so the two lanes need no
/// lock: only this loop touches the machine and the pages.
///
/// While nothing is expected of the shard there is no task for it: the reading falls asleep, and is gone on with at the shard's next
/// turn, or when it is interrupted.
///
/// A class, as are its results: what a task holds across an `await` lies in its frame, once for each of a thousand shards. So
/// what is called by what waits for the next event isn't inlined either: its own variables would stay in that frame for as long
/// as the shard is awake.
final class ShardReader: Sendable {
    let shard: ShardKey
    let schema: TableSchema
    let epoch: Epoch
    /// When it was decided that the shard may be read as it is.
    let decided: Timestamp
    let workshop: Workshop
    /// Fires when the daemon is to stop, or when the journal moved under the shard.
    let interrupt: Signal
    private let filter: StreamFilter?

    init(
        shard: ShardKey, schema: TableSchema, epoch: Epoch, decided: Timestamp, interrupt: Signal, workshop: Workshop
    ) {
        self.shard = shard
        self.schema = schema
        self.epoch = epoch
        self.decided = decided
        self.interrupt = interrupt
        self.workshop = workshop
        filter = StreamFilter(
            workshop.configuration.filters[schema.name],
            knowsRows: workshop.configuration.consistentScan && !workshop.skipped.concern(schema.name))
    }

    private var source: any StreamSource { workshop.source }
    private var surroundings: Surroundings { workshop.surroundings }

    /// All that is kept of a shard that is asleep.
    struct Asleep: Sendable {
        let taken: ShardJob.Taken
        fileprivate let machine: ShardMachine
        fileprivate let silence: Silence
        fileprivate let answer: DynamoDBError?
        /// What the next page is asked for with.
        fileprivate let next: ShardIterator
    }

    /// How far reading has come.
    enum Progress: Sendable {
        case ended(Result)
        /// Until its next turn, for which it is to wait from then on.
        case asleep(Asleep, after: Duration)
    }

    /// How reading ended, and what the journal says of the shard after the last batch.
    final class Result: Sendable {
        let outcome: ShardMachine.Outcome
        let checkpoint: Checkpoint
        /// The service's answer that led to the outcome, if one did.
        let answer: DynamoDBError?
        /// Whether any page came.
        let hasRead: Bool
        /// At its end: what was made up to then is in the target, as a long silence before it tells.
        let vouched: Timestamp?
        /// Whether the stream's listing doesn't bear `answer` out.
        let isDoubtful: Bool

        init(
            outcome: ShardMachine.Outcome, checkpoint: Checkpoint, answer: DynamoDBError? = nil, hasRead: Bool = false,
            vouched: Timestamp? = nil, isDoubtful: Bool = false
        ) {
            self.outcome = outcome
            self.checkpoint = checkpoint
            self.answer = answer
            self.hasRead = hasRead
            self.vouched = vouched
            self.isDoubtful = isDoubtful
        }

        func doubted(because answer: DynamoDBError) -> Result {
            Result(outcome: outcome, checkpoint: checkpoint, answer: answer, hasRead: hasRead, isDoubtful: true)
        }
    }

    /// Indirect, as `TableFollower.Event` is.
    private indirect enum Input: Sendable {
        case event(ShardMachine.Event)
        /// The service's word about the shard or its iterator, and not about the call.
        case answer(ShardMachine.Event, DynamoDBError)
        /// - Parameters:
        ///   - read: what is counted.
        ///   - changes: what the filter leaves of it.
        case page(RecordSource.Fetched, read: [Change], changes: [Change])
        case delivered(Receipt, upTo: SequenceNumber)
        case none
    }

    /// Why the loop of one reading is left.
    private enum Leaving {
        case finished(ShardMachine.Outcome)
        case asleep(next: ShardIterator, after: Duration)
    }

    /// What the loop of one reading works on. In one place of the heap, since what stands in an asynchronous function's
    /// frame stays there for as long as the shard is awake.
    private final class Reading {
        let taken: ShardJob.Taken
        let isClosed: Bool
        var machine: ShardMachine
        var silence: Silence
        var pages: Deque<(part: Batch.Part, read: [Change], lease: ByteBudget.Lease)> = []
        /// The newest.
        var answer: DynamoDBError?

        @inline(never)
        init(_ taken: ShardJob.Taken, maximumPoll: Duration) {
            self.taken = taken
            // What a closed shard holds is known to be there, however many empty pages come before it.
            isClosed = taken.checkpoint.range.isClosed
            silence = Silence()
            machine = ShardMachine(
                start: taken.start,
                pacing: PollPacing(maximum: isClosed ? min(PollPacing.closed, maximumPoll) : maximumPoll))
        }

        @inline(never)
        init(_ asleep: Asleep) {
            taken = asleep.taken
            isClosed = taken.checkpoint.range.isClosed
            machine = asleep.machine
            silence = asleep.silence
            answer = asleep.answer
        }

        func asleep(_ next: ShardIterator) -> Asleep {
            Asleep(taken: taken, machine: machine, silence: silence, answer: answer, next: next)
        }
    }

    /// What a reading begins with.
    private enum Beginning: Sendable {
        case start
        /// The turn has come for which it slept.
        case turn(ShardIterator, ByteBudget.Lease)
        /// It was interrupted in its sleep.
        case interrupted
    }

    /// - Parameter taken: what the start table said, already resolved to an iterator and journaled.
    @inline(never)
    func read(_ taken: ShardJob.Taken, maximumPoll: Duration) async throws -> Progress {
        let reading = Reading(taken, maximumPoll: maximumPoll)
        try begins(taken)
        return try await read(reading, from: .start)
    }

    /// Goes on where it fell asleep.
    ///
    /// - Parameter lease: of its turn; `nil` where it was interrupted.
    @inline(never)
    func wake(_ asleep: Asleep, with lease: ByteBudget.Lease?) async throws -> Progress {
        let reading = Reading(asleep)
        return try await read(reading, from: lease.map { .turn(asleep.next, $0) } ?? .interrupted)
    }

    @inline(never)
    private func read(_ reading: Reading, from beginning: Beginning) async throws -> Progress {
        let records = RecordSource(
            source: source, shard: shard, turns: workshop.turns, vitals: workshop.vitals,
            executor: surroundings.executor)

        return try await withThrowingTaskGroup(of: Input.self) { group in
            let leaving: Leaving
            do {
                leaving = try await drive(reading, from: beginning, records, &group)
            } catch {
                // What was fetched ahead is no child of this task, and would go on asking, with a lease on what it asks for.
                await records.close()
                throw error
            }
            group.cancelAll()
            await records.close()
            return progress(leaving, reading)
        }
    }

    @inline(never)
    private func begins(_ taken: ShardJob.Taken) throws(JournalError) {
        let checkpoint = taken.checkpoint
        workshop.vitals.begins(checkpoint, isSetBack: try isSetBack(checkpoint))
    }

    @inline(never)
    private func progress(_ leaving: Leaving, _ reading: Reading) -> Progress {
        switch leaving {
        case .asleep(let next, let delay): .asleep(reading.asleep(next), after: delay)
        case .finished(let outcome):
            .ended(
                Result(
                    outcome: outcome, checkpoint: reading.taken.checkpoint, answer: reading.answer,
                    hasRead: reading.machine.hasRead, vouched: reading.silence.vouched))
        }
    }

    /// Does what the machine asks for until it has finished, or may sleep.
    @inline(never)
    private func drive(
        _ reading: Reading, from beginning: Beginning, _ records: RecordSource,
        _ group: inout ThrowingTaskGroup<Input, any Error>
    ) async throws -> Leaving {
        group.addTask { [self] in await interrupted() }
        var actions = begin(beginning, reading, records, &group)
        while true {
            if let leaving = begin(actions, reading, records, &group) { return leaving }
            guard let input = try await group.next() else {
                preconditionFailure("a machine that has not finished has something under way")
            }
            if let draft = silence(before: input, reading) {
                let taken = reading.taken
                guard try await apart({ try await self.putOnRecord(draft, taken) }) else {
                    actions = handle(.conflict, reading)
                    continue
                }
            }
            actions = take(input, reading)
        }
    }

    /// Whether the daemon itself has set the shard back since it last read it.
    @inline(never)
    private func isSetBack(_ checkpoint: Checkpoint) throws(JournalError) -> Bool {
        guard let known = workshop.vitals.epoch(of: shard), known != checkpoint.epoch else { return false }
        let query = HistoryQuery(kinds: ["rewound"], limit: 1, newestFirst: true)
        guard case .rewound(let rewound)? = try workshop.journal.history(of: shard, query).first?.payload else {
            return false
        }
        return rewound.author == ShardDesk.author
    }

    private func say(_ replay: VitalSigns.Replay) {
        workshop.logger.warning(
            "a shard is read over and over from the same place, and does not get on",
            metadata: ["shard": "\(shard)", "from": "\(replay.from)", "times": "\(replay.times)"])
    }

    @inline(never)
    private func interrupted() async -> Input {
        await interrupt.wait()
        return workshop.stop.hasFired ? .event(.stop) : interrupt.hasFired ? .event(.displaced) : .none
    }

    /// - Returns: what is to be done first.
    @inline(never)
    private func begin(
        _ beginning: Beginning, _ reading: Reading, _ records: RecordSource,
        _ group: inout ThrowingTaskGroup<Input, any Error>
    ) -> [ShardMachine.Action] {
        switch beginning {
        case .start: return handle(.resolved(reading.taken.iterator), reading)
        case .turn(let next, let lease):
            group.addTask { [self, start = reading.taken.start] in
                try await fetch(at: next, from: records, start, .idle, lease)
            }
            return []
        case .interrupted: return []
        }
    }

    /// - Returns: why nothing more is to be done, if so.
    @inline(never)
    private func begin(
        _ actions: [ShardMachine.Action], _ reading: Reading, _ records: RecordSource,
        _ group: inout ThrowingTaskGroup<Input, any Error>
    ) -> Leaving? {
        for action in actions {
            switch action {
            case .resolve(let place):
                workshop.vitals.begins(reading.taken.checkpoint, isSetBack: false)
                group.addTask { [self] in try await resolve(place) }
            case .fetch(let next, let delay) where delay > .zero && reading.machine.maySleep && !reading.isClosed:
                return .asleep(next: next, after: delay)
            case .fetch(let iterator, let delay):
                let urgency: TurnQueue.Urgency =
                    delay == .zero || reading.isClosed ? .behind : reading.machine.expectsMore ? .lively : .idle
                group.addTask { [self, start = reading.taken.start] in
                    if delay > .zero { try await surroundings.sleep(for: delay) }
                    return try await fetch(at: iterator, from: records, start, urgency, nil)
                }
            case .deliver(let count, let upTo):
                let batch = (0..<count).map { _ in reading.pages.removeFirst() }
                group.addTask { [self, checkpoint = reading.taken.checkpoint] in
                    try await deliver(
                        batch.map(\.part), read: batch.map(\.read), leases: batch.map(\.lease), upTo: upTo,
                        expecting: checkpoint.revision, isFromHorizon: checkpoint.iteratorType == .trimHorizon)
                }
            case .finish(let outcome):
                return .finished(outcome)
            }
        }
        return nil
    }

    @inline(never)
    private func take(_ input: Input, _ reading: Reading) -> [ShardMachine.Action] {
        defer { workshop.pulse.set(shard, inStep: reading.machine.isInStep && !reading.isClosed) }
        switch input {
        case .event(let event): return handle(event, reading)
        case .answer(let event, let error):
            reading.answer = error
            return handle(event, reading)
        case .page(let fetched, let read, let changes):
            let facts = facts(of: fetched.page, kept: read)
            if facts.last != nil {
                reading.pages.append((Batch.Part(body: fetched.page.body, changes: changes), read, fetched.lease))
            }
            let actions = handle(.page(facts), reading)
            if let replay = workshop.vitals.paged(
                shard, records: facts.records, isInStep: reading.machine.isInStep)
            {
                say(replay)
            }
            if !reading.isClosed {
                reading.silence.took(isEmpty: reading.machine.isInStep, at: surroundings.now())
            }
            return actions
        case .delivered(let receipt, let upTo):
            if let folded = receipt.checkpoint { reading.taken.checkpoint = folded }
            workshop.pulse.moved()
            workshop.vitals.advanced(shard)
            return handle(.delivered(upTo: upTo), reading)
        case .none: return []
        }
    }

    /// Says, where nothing was said for long, that the shard is in step.
    @inline(never)
    private func silence(before input: Input, _ reading: Reading) -> Draft? {
        guard reading.machine.isInStep else { return nil }
        let isStopping = if case .event(.stop) = input { true } else { false }
        let checkpoint = reading.taken.checkpoint
        return reading.silence.sign(beyond: checkpoint.accounted, now: surroundings.now(), isStopping: isStopping)
            .map { until in
                Draft(shard: shard, expecting: checkpoint.revision, [.inStep(InStep(until: until))])
            }
    }

    /// - Returns: `false` where the journal moved under the shard meanwhile.
    @inline(never)
    private func putOnRecord(_ draft: Draft, _ taken: ShardJob.Taken) async throws -> Bool {
        do {
            let receipts = try await workshop.journal.append([draft])
            if let folded = receipts.first?.checkpoint { taken.checkpoint = folded }
            return true
        } catch JournalError.conflict {
            return false
        }
    }

    @inline(never)
    private func handle(_ event: ShardMachine.Event, _ reading: Reading) -> [ShardMachine.Action] {
        surroundings.observing?("shard machine: \(reading.machine.state) + \(event.name)")
        return reading.machine.handle(event)
    }

    @inline(never)
    private func resolve(_ place: Start) async throws -> Input {
        do throws(DynamoDBError) {
            let type: IteratorType = place.iteratorType
            let iterator = try await source.iterator(type, at: place.sequenceNumber, shard: shard) {
                [shard, vitals = workshop.vitals] in vitals.tryFailed(shard)
            }
            // The oldest record left is another one by now, and what is between the two is lost without a word.
            if type == .trimHorizon, surroundings.now() - decided >= Recovery.decision {
                return .event(.displaced)
            }
            return .event(.resolved(iterator))
        } catch {
            return try Self.answer(error)
        }
    }

    @inline(never)
    private func fetch(
        at iterator: ShardIterator, from records: RecordSource, _ start: Start, _ urgency: TurnQueue.Urgency,
        _ lease: ByteBudget.Lease?
    ) async throws -> Input {
        do {
            let fetched = try await records.page(at: iterator, urgency, lease)
            let changes = fetched.page.changes
            let read = start.admitsAll ? changes : changes.filter(start.admits)
            return .page(fetched, read: read, changes: filter?.pass(read, in: fetched.page.body) ?? read)
        } catch let error as DynamoDBError {
            return try Self.answer(error)
        }
    }

    private static func answer(_ error: DynamoDBError) throws(DynamoDBError) -> Input {
        if error.isExpiredIterator { return .answer(.expired, error) }
        if error.isTrimmed { return .answer(.trimmed, error) }
        // A shard that aged out is gone with everything in it that was not read (FACTS 1.3).
        if error.isNotFound { return .answer(.gone, error) }
        throw error
    }

    private func facts(of page: Page, kept: [Change]) -> PageFacts {
        let last = page.changes.last?.approximateTime
        return PageFacts(
            records: page.changes.count, bytes: page.body.count, age: last.map { surroundings.now() - $0 },
            last: kept.last?.sequenceNumber, next: page.next)
    }

    /// - Parameters:
    ///   - whole: the batch before anything of it was put aside.
    ///   - read: the batch before anything of it was left out by a filter: the records of that are counted, too.
    ///   - isFromHorizon: whether what the batch begins with is the oldest record that the stream had left.
    private static func advance(
        by batch: Batch, _ token: TargetToken?, of whole: Batch, read: [[Change]], isFromHorizon: Bool
    ) -> SequenceAdvanced {
        guard case .shard(_, _, let upTo) = batch.origin else {
            preconditionFailure("a reader delivers its shard's changes")
        }
        if read.reduce(0, { $0 + $1.count }) > whole.count {
            let passed = read.joined().filter { $0.sequenceNumber.map { $0 <= upTo } ?? false }
            let written = whole.parts.lazy.flatMap(\.changes).count { $0.sequenceNumber.map { $0 <= upTo } ?? false }
            return SequenceAdvanced(
                sequenceNumber: upTo, records: UInt64(passed.count - (written - batch.count)),
                bytes: UInt64(batch.bytes), approximateTime: passed.last?.approximateTime, targetToken: token,
                first: isFromHorizon ? passed.first?.sequenceNumber : nil)
        }
        return SequenceAdvanced(
            sequenceNumber: upTo, records: UInt64(batch.count), bytes: UInt64(batch.bytes),
            approximateTime: batch.parts.last { !$0.changes.isEmpty }?.changes.last?.approximateTime,
            targetToken: token,
            first: isFromHorizon ? batch.parts.first { !$0.changes.isEmpty }?.changes.first?.sequenceNumber : nil)
    }

    @inline(never)
    private func deliver(
        _ parts: [Batch.Part], read: [[Change]], leases: [ByteBudget.Lease], upTo: SequenceNumber,
        expecting: Revision, isFromHorizon: Bool
    ) async throws -> Input {
        defer { withExtendedLifetime(leases) {} }
        let batch = Batch(table: schema, origin: .shard(shard, epoch: epoch, upTo: upTo), parts: parts)
        let delivery = try await workshop.deliver(
            batch,
            { .sequenceAdvanced(Self.advance(by: $0, $1, of: batch, read: read, isFromHorizon: isFromHorizon)) },
            as: { [shard] in Draft(shard: shard, expecting: $1 ?? expecting, $0) })
        for part in parts { source.giveBack(part.body) }
        switch delivery {
        case .journaled(let receipt): return .delivered(receipt, upTo: upTo)
        case .displaced: return .event(.conflict)
        }
    }
}
