internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Targets

/// What all work of one daemon shares. A class: who reads a shard has it, and there are thousands of them.
final class Workshop: Sendable {
    let configuration: DaemonConfiguration
    let journal: Journal
    let source: any StreamSource
    let target: any Target
    let writer: TargetWriter
    let deadLetters: DeadLetterFile
    let budget: ByteBudget
    /// What shards hold that are being taken up: thousands at once would need far more memory than they do afterwards, and between
    /// what each keeps, little of that could be given back.
    let takingUp = ByteBudget(capacity: 64 * ByteBudget.reply)
    let turns: Turns
    let pulse: Pulse
    let vitals: Vitals
    let skipped = SkippedLosses()
    let instruments: Instruments
    let stop: Signal
    let observer: any ProgressObserver
    let surroundings: Surroundings
    let logger: Logger

    init(
        configuration: DaemonConfiguration, journal: Journal, source: any StreamSource, target: any Target,
        writer: TargetWriter, deadLetters: DeadLetterFile, budget: ByteBudget, turns: Turns, pulse: Pulse,
        vitals: Vitals, instruments: Instruments, stop: Signal, observer: any ProgressObserver,
        surroundings: Surroundings, logger: Logger
    ) {
        self.configuration = configuration
        self.journal = journal
        self.source = source
        self.target = target
        self.writer = writer
        self.deadLetters = deadLetters
        self.budget = budget
        self.turns = turns
        self.pulse = pulse
        self.vitals = vitals
        self.instruments = instruments
        self.stop = stop
        self.observer = observer
        self.surroundings = surroundings
        self.logger = logger
    }

    func now() -> Timestamp { surroundings.now() }
    func random() -> Double { surroundings.random() }

    /// Sleeps; `false` once the daemon is to stop.
    func wait(_ duration: Duration) async -> Bool { await Self.wait(duration, or: stop, in: surroundings) }

    /// The same, but that `halt` ends it too.
    func wait(_ duration: Duration, unless halt: Signal) async -> Bool {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [surroundings] in try? await surroundings.sleep(for: duration) }
            for signal in [stop, halt] { group.addTask { await signal.wait() } }
            await group.next()
            group.cancelAll()
        }
        return !stop.hasFired && !halt.hasFired && !Task.isCancelled
    }

    /// What `body` gives, unless it takes longer than `duration`.
    func within<R: Sendable>(_ duration: Duration, _ body: @escaping @Sendable () async -> R?) async -> R? {
        await withTaskGroup(of: R?.self) { group in
            group.addTask { await body() }
            group.addTask { [surroundings] in
                try? await surroundings.sleep(for: duration)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    static func wait(_ duration: Duration, or stop: Signal, in surroundings: Surroundings) async -> Bool {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await surroundings.sleep(for: duration) }
            group.addTask { await stop.wait() }
            await group.next()
            group.cancelAll()
        }
        return !stop.hasFired && !Task.isCancelled
    }
}

/// Translates what any layer throws into the one error of this module; `nil` where nobody waits for the answer any more.
func asDaemonError(_ error: any Error) -> DaemonError? {
    switch error {
    case let error as DaemonError: error
    case let error as DynamoDBError: error.isCancelled ? nil : .source(error)
    case let error as TargetError: .target(error)
    case let error as JournalError: .journal(error)
    case is CancellationError: nil
    // Taken for one of those above it would end a table without a word.
    default: preconditionFailure("no layer below the dispatcher throws this: \(type(of: error)): \(error)")
    }
}
