internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Synchronization
internal import Targets

/// One taking-up of a shard: reads its checkpoint, has the start decided, journals both, and reads.
///
/// It has a task while there is something to do. In between it sleeps, which most of thousands of shards do at any time.
final class ShardJob: Sendable {
    let workshop: Workshop
    let schema: TableSchema
    private let newest: Newest
    let position: ShardPosition?
    let handedOver: ShardIterator?
    let expired: Bool
    let atHorizon: Bool
    private let interrupted = Signal()
    /// Told when the shard is not asleep any more.
    private let woken: Inbox<ShardID>
    private let rest = Mutex(Rest.awake)
    /// When it was decided that the shard may be read as it is.
    private let decided: Timestamp

    init(
        workshop: Workshop, schema: TableSchema, checkpoint: Checkpoint, position: ShardPosition?,
        handedOver: ShardIterator?, expired: Bool, atHorizon: Bool, decided: Timestamp, woken: Inbox<ShardID>
    ) {
        self.workshop = workshop
        self.schema = schema
        newest = Newest(checkpoint)
        self.position = position
        self.handedOver = handedOver
        self.expired = expired
        self.atHorizon = atHorizon
        self.decided = decided
        self.woken = woken
    }

    private enum Rest {
        case awake
        case asleep(ShardReader.Asleep, Turns.Booking)
        /// With a lease where its turn has come, with none where it was interrupted; a task is to take that up.
        case woken(ShardReader.Asleep, ByteBudget.Lease?)
    }

    /// The journal's newest word on the shard, in one place: a checkpoint is most of what a sleeping shard costs.
    fileprivate final class Newest: Sendable {
        private let held: Mutex<Checkpoint>

        var checkpoint: Checkpoint {
            get { held.withLock { $0 } }
            set { held.withLock { $0 = newValue } }
        }

        init(_ checkpoint: Checkpoint) { held = Mutex(checkpoint) }
    }

    var checkpoint: Checkpoint { newest.checkpoint }

    /// What taking the shard up led to, and how far it has come since: one for each shard that is read, and no copies in
    /// the frames of its tasks.
    final class Taken: Sendable {
        let start: Start
        let iterator: ShardIterator
        private let newest: Newest

        /// The journal's newest word on the shard.
        var checkpoint: Checkpoint {
            get { newest.checkpoint }
            set { newest.checkpoint = newValue }
        }

        fileprivate init(start: Start, iterator: ShardIterator, _ newest: Newest) {
            self.start = start
            self.iterator = iterator
            self.newest = newest
        }
    }

    /// What was decided is no more true: the target has more than the journal said, an operator has set its parent back since
    /// that was seen to be done, or the process was suspended for so long that the oldest record left is another one.
    private struct Overtaken: Error {}

    /// Takes the shard up, or goes on where it fell asleep.
    func run() async -> TableFollower.Event {
        var event: TableFollower.Event
        do {
            switch try await readOn() {
            case .asleep(let asleep, let delay):
                sleep(asleep, delay)
                return .readerAsleep
            case .ended(let result):
                event = .readerEnded(checkpoint.shard.shard, result)
            }
        } catch {
            event = ended(by: error)
        }
        let shard = checkpoint.shard.shard
        if case .readerEnded(_, let result) = event, result.outcome == .gone, let answer = result.answer,
            let doubt = await doubt(answer)
        {
            event = .readerEnded(shard, result.doubted(because: doubt))
        }
        return event
    }

    /// What is in flight is finished, and no more is begun: the daemon is to stop, or the journal moved under the shard.
    func interrupt() {
        interrupted.fire()
        wake(with: nil)
    }

    private func sleep(_ asleep: ShardReader.Asleep, _ delay: Duration) {
        rest.withLock { rest in
            let booking = workshop.turns.book(of: schema.name, .idle, after: delay) { [self] in wake(with: $0) }
            rest = .asleep(asleep, booking)
        }
        // Whoever interrupted it before that found it awake.
        if interrupted.hasFired { wake(with: nil) }
    }

    /// The turn and an interruption may come at once: the first of them wakes it, and the other finds it awake.
    private func wake(with lease: ByteBudget.Lease?) {
        let booking: Turns.Booking? = rest.withLock { rest in
            guard case .asleep(let asleep, let booking) = rest else { return nil }
            rest = .woken(asleep, lease)
            return booking
        }
        guard let booking else { return }
        if lease == nil { workshop.turns.giveUp(booking) }
        woken.put([checkpoint.shard.shard])
    }

    @inline(never)
    private func readOn() async throws -> ShardReader.Progress {
        let woken: (ShardReader.Asleep, ByteBudget.Lease?)? = rest.withLock { rest in
            guard case .woken(let asleep, let lease) = rest else { return nil }
            rest = .awake
            return (asleep, lease)
        }
        if let (asleep, lease) = woken { return try await reader(asleep.taken).wake(asleep, with: lease) }
        let room = try await workshop.takingUp.reserve()
        let taken = try await apart { try await self.takeUp() }
        room.resize(to: 0)
        return try await reader(taken).read(taken, maximumPoll: workshop.configuration.maximumPoll)
    }

    /// A shard that is listed, and said not to be there: one of the two is late. So it is, too, if there is no listing.
    @inline(never)
    private func doubt(_ answer: DynamoDBError) async -> DynamoDBError? {
        do throws(DynamoDBError) {
            let listing = try await workshop.source.describeStream(checkpoint.shard.stream).shards
            return listing.contains { $0.id == checkpoint.shard.shard } ? answer : nil
        } catch {
            return error.isNotFound ? nil : error
        }
    }

    @inline(never)
    private func ended(by error: any Error) -> TableFollower.Event {
        if error is Overtaken { return ended(.displaced) }
        return switch asDaemonError(error) {
        case nil: ended(.stopped)
        case .journal(.conflict)?: ended(.displaced)
        case .source(let answer)? where answer.isTrimmed: ended(.trimmed, answer)
        // A shard that aged out is gone with everything in it that was not read (FACTS 1.3).
        case .source(let answer)? where answer.isNotFound: ended(.gone, answer)
        case let error?: .readerFailed(checkpoint.shard.shard, error)
        }
    }

    @inline(never)
    private func ended(_ outcome: ShardMachine.Outcome, _ answer: DynamoDBError? = nil) -> TableFollower.Event {
        .readerEnded(
            checkpoint.shard.shard, ShardReader.Result(outcome: outcome, checkpoint: checkpoint, answer: answer))
    }

    @inline(never)
    private func takeUp() async throws -> Taken {
        let checkpoint = checkpoint
        let verdict = Recovery.compare(checkpoint, with: workshop.target.storesPositions ? position : nil)
        workshop.surroundings.observing?("recovery: \(verdict.name)")
        if case .advance(let number) = verdict {
            // Before the source is asked for what comes next, which may be gone: then that much is not lost.
            try await advance(to: number)
            throw Overtaken()
        }
        let decision = StartTable.decide(
            checkpoint, handedOver: handedOver, expired: expired, atHorizon: atHorizon, now: workshop.now())
        guard case .start(let decided, let rule) = decision else {
            throw DaemonError.needsFullSync(
                table: schema.name,
                reason: "shard \(checkpoint.shard.shard) was to be read from its newest record on, and nothing says "
                    + "which that was")
        }
        let asked = workshop.now()
        let iterator = try await iterator(for: decided)
        let isLate = workshop.now() - self.decided >= Recovery.decision
        if isLate, decided.iteratorType == .trimHorizon { throw Overtaken() }
        let draft = Draft(
            shard: checkpoint.shard, expecting: checkpoint.revision,
            takenUp(at: decided, rule, iterator, issued: asked + workshop.source.clockLead))
        let receipts: [Receipt]
        do throws(JournalError) {
            receipts = try await workshop.journal.append([draft])
        } catch {
            guard case .refused = error else { throw error }
            throw Overtaken()
        }
        guard let taken = receipts.first?.checkpoint else {
            preconditionFailure("an append about a shard answers with its checkpoint")
        }
        workshop.logger.debug(
            "shard taken up",
            metadata: [
                "shard": "\(checkpoint.shard)", "rule": "\(rule.rawValue)", "from": "\(decided.place)",
            ])
        newest.checkpoint = taken
        return Taken(start: decided, iterator: iterator, newest)
    }

    private func reader(_ taken: Taken) -> ShardReader {
        let checkpoint = taken.checkpoint
        return ShardReader(
            shard: checkpoint.shard, schema: schema, epoch: checkpoint.epoch, decided: decided,
            interrupt: interrupted, workshop: workshop)
    }

    private func iterator(for start: Start) async throws(DynamoDBError) -> ShardIterator {
        if case .iterator(let iterator) = start.place { return iterator }
        let shard = checkpoint.shard
        return try await workshop.source.iterator(
            start.iteratorType, at: start.sequenceNumber, shard: shard
        ) { [vitals = workshop.vitals] in
            vitals.tryFailed(shard)
        }
    }

    /// What the journal learns at once: what was seen, what was decided, and that it is being done.
    private func takenUp(
        at start: Start, _ rule: StartTable.Rule, _ iterator: ShardIterator, issued: Timestamp
    ) -> [Payload] {
        let resolved = Payload.iteratorResolved(
            IteratorResolved(
                rule: rule.rawValue, iteratorType: start.iteratorType, sequenceNumber: start.sequenceNumber,
                iterator: iterator, issued: start.place == .latest ? issued : nil))
        return [queried, resolved] + inProcessing
    }

    /// Says that the target holds what it was written before the append that follows was cut off.
    private func advance(to number: SequenceNumber) async throws(JournalError) {
        let advanced = Payload.sequenceAdvanced(
            SequenceAdvanced(sequenceNumber: number, records: 0, bytes: 0, approximateTime: nil, targetToken: nil))
        do throws(JournalError) {
            _ = try await workshop.journal.append([
                Draft(
                    shard: checkpoint.shard, expecting: checkpoint.revision, [queried] + inProcessing + [advanced])
            ])
        } catch {
            guard case .refused = error else { throw error }
        }
    }

    private var queried: Payload {
        .queried(
            Queried(
                revision: checkpoint.revision, status: checkpoint.status, iteratorType: checkpoint.iteratorType,
                sequenceNumber: checkpoint.sequenceNumber, worker: workshop.configuration.worker))
    }

    private var inProcessing: [Payload] {
        checkpoint.status == .inProcessing
            ? [] : [.statusChanged(StatusChanged(from: checkpoint.status, to: .inProcessing, reason: "taken up"))]
    }
}
