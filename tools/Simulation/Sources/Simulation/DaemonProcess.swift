internal import Curl
internal import Dispatcher
internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Synchronization
internal import Targets

/// The daemon as one process runs it: the real client, dispatcher and journal, between a simulated network and target.
final class DaemonProcess: Sendable {
    static let mapSize = 64 << 20
    private static let endpoint: HTTPURL = {
        do { return try HTTPURL("http://simulated.invalid") } catch { preconditionFailure("\(error)") }
    }()

    let life: Life
    private let plan: Plan
    private let world: World
    private let folder: String
    private let untilIdle: Duration?
    private let mode: DaemonConfiguration.Mode
    private let ambush: Ambush?
    private let state = Mutex<(daemon: Daemon?, isStopped: Bool, failure: String?)>((nil, false, nil))

    /// - Parameters:
    ///   - mode: another than the plan's, where an operator says so at the start.
    ///   - ambush: who lies in wait for it.
    init(
        _ plan: Plan, _ world: World, in folder: String, life: Life, mode: DaemonConfiguration.Mode? = nil,
        untilIdle: Duration?, ambush: Ambush? = nil
    ) {
        self.ambush = ambush
        self.plan = plan
        self.mode = mode ?? plan.mode
        self.world = world
        self.folder = folder
        self.life = life
        self.untilIdle = untilIdle
    }

    /// What the daemon ended with, where that is no success.
    var failure: String? { state.withLock { $0.failure } }

    func stop() {
        let daemon = state.withLock { state in
            state.isStopped = true
            return state.daemon
        }
        daemon?.stop()
    }

    func run() async {
        let surroundings = world.surroundings(of: life, ambush)
        world.begins()
        let target = ModelTarget(plan.target, life, world)
        let journal: Journal
        do throws(JournalError) {
            journal = try Journal.open(
                folder, .daemon(.simulated(target.name), takesOver: target.takesOver), mapSize: Self.mapSize,
                surroundings: surroundings, isInline: true)
        } catch {
            return world.violate(.journal, "it can't be opened: \(error)")
        }
        world.use(journal)
        // What was said while nobody ran.
        world.catchUp()
        let daemon = Daemon(
            configuration: configuration, journal: journal, source: Self.client(life, world, surroundings),
            target: target, logger: Logger(label: "simulation") { [world] _ in TrailLogHandler(world) },
            surroundings: surroundings)
        let isStopped = state.withLock { state in
            state.daemon = daemon
            return state.isStopped
        }
        if isStopped { daemon.stop() }
        let running = Task(executorPreference: life.lane) { () async -> String? in
            do throws(DaemonError) { try await daemon.run() } catch { return "\(error)" }
            return nil
        }
        life.begins(journal) {
            daemon.stop()
            running.cancel()
        }
        let error = await running.value
        world.say("the daemon ended: \(error ?? "in order"), alive: \(life.isAlive)")
        if let error, life.isAlive { state.withLock { $0.failure = error } }
        if life.isAlive { await journal.close(reason: "simulated stop") }
        world.use(nil)
        life.ends()
        state.withLock { $0.daemon = nil }
    }

    static func client(_ life: Life, _ world: World, _ surroundings: Surroundings) -> DynamoDBClient {
        DynamoDBClient(
            ResolvedSource(region: "us-east-1", endpoint: endpoint),
            credentials: CredentialsChain([SimulatedCredentials()], surroundings: surroundings),
            transport: SimulatedTransport(life, world), retry: RetryPolicy(), limits: CallLimits(),
            surroundings: surroundings)
    }

    private var configuration: DaemonConfiguration {
        DaemonConfiguration(
            tables: plan.finds ? [] : world.schemas.map(\.name),
            globs: plan.finds ? TableGlobs(include: [Glob("table-*")]) : nil, tablesInterval: plan.discovery,
            mode: mode, startAt: plan.startsAtLatest ? .latest : .trimHorizon,
            untilIdle: untilIdle, maximumPoll: plan.maximumPoll, discoveryInterval: plan.discovery,
            watchInterval: plan.watchInterval, vitalsInterval: .seconds(600),
            memoryBudget: 4 << 20, scanSegments: 3, scanReaders: 2, consistentScan: plan.scansConsistently,
            filters: TableFilters(tables: world.filters.mapValues(\.condition)),
            onLoss: LossPolicies(plan.onLoss), deadLetterLimit: plan.letterLimit, worker: "simulated/1")
    }
}

/// Has other ones every other time that it is asked for fresh ones.
private final class SimulatedCredentials: CredentialsProvider {
    let name = "the simulation"
    private let asked = Mutex(0)

    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
        let number = asked.withLock { asked in
            if refreshing { asked += 1 }
            return asked
        }
        return .found(Credentials(accessKeyID: "SIMULATED\((number + 1) / 2)", secretAccessKey: "simulated"))
    }
}

extension RunStarted {
    fileprivate static func simulated(_ target: String) -> RunStarted {
        RunStarted(role: "daemon", version: "0", host: "simulated", pid: 1, target: target)
    }
}

/// Puts what the daemon logs among the rest of what happened.
private struct TrailLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let world: World

    init(_ world: World) {
        self.world = world
        logLevel = world.tells ? .debug : .critical
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        world.say(
            "log \(event.level): \(event.message) "
                + metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
                .map { "\($0.key)=\($0.value)" }.joined(separator: " "))
    }
}
