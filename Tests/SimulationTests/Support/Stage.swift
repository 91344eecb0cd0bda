import Curl
import Dispatcher
import DynamoDB
import Foundation
import Journal
import Logging
import Simulation
import StreamModel
import Synchronization

/// One daemon, and what it says of itself.
final class Stage: Sendable {
    let conductor = Conductor(seed: 1, disorder: 0)
    let service: ManyShards
    let target: Counting
    private let log = Mutex<[String]>([])
    private let signs = Mutex<VitalSigns?>(nil)
    private let found = Mutex<[String]>([])
    private let lead = Mutex(Duration.zero)
    private let chance = Mutex(Chance())
    private let configuration: DaemonConfiguration
    private let limits: CallLimits?

    /// - Parameter limits: of calls; `nil` are the daemon's own, and none of the client's.
    init(maximumPoll: Duration = .seconds(1), limits: CallLimits? = nil, memoryBudget: Int = 32 << 20) {
        configuration = DaemonConfiguration(
            tables: [TableName(ManyShards.table)], mode: .incr, maximumPoll: maximumPoll, memoryBudget: memoryBudget,
            limits: limits ?? CallLimits(), worker: "tests/1")
        self.limits = limits
        service = ManyShards(conductor)
        target = Counting(conductor)
    }

    /// What was logged as a warning or worse.
    var warnings: [String] { log.withLock { $0 } }
    var now: Timestamp { Timestamp(seconds: 1_750_000_000) + conductor.now + lead.withLock { $0 } }
    /// The machine's clock, and not what waits are measured by, is set forward, or back.
    func setClock(ahead lead: Duration) { self.lead.withLock { $0 = lead } }
    /// What the daemon's signs were taken for a hang for.
    var hangs: [String] { found.withLock { $0 } }
    /// Whose signs say that they are in trouble.
    var troubled: Int { signs.withLock { $0?.tables.flatMap(\.shards).count { $0.trouble != nil } } ?? 0 }
    var complaints: [String] {
        signs.withLock { $0 }.map { Health.complaints(of: TableName(ManyShards.table), $0, now: now) }.map {
            $0.map(\.reason)
        } ?? []
    }

    func records(_ range: ClosedRange<Int>) -> Bool { range.allSatisfy { target.records.contains(String($0)) } }

    /// Waits, in virtual time.
    func wait(_ duration: Duration) async { try? await conductor.sleep(until: conductor.now + duration) }

    /// - Returns: how long it took; `nil` if not within `limit`.
    func until(_ limit: Duration, _ condition: () -> Bool) async -> Duration? {
        let began = conductor.now
        while conductor.now - began < limit {
            if condition() { return conductor.now - began }
            await wait(.milliseconds(100))
        }
        return nil
    }

    /// Runs `story` beside the daemon, on a thread of its own.
    ///
    /// - Returns: what `story` found wrong: an expectation on that thread is nobody's.
    func play(_ story: @escaping @Sendable (Stage, inout Findings) async -> Void) async throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "shake-discovery-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let endpoint = try HTTPURL("http://simulated.invalid")
        let result: Result<[String], any Error> = await withCheckedContinuation { continuation in
            Thread {
                continuation.resume(
                    returning: Result {
                        try self.conductor.run(limit: .seconds(100_000), jobs: 5_000_000) {
                            await self.tell(story, folder, endpoint)
                        }.get()
                    })
            }.start()
        }
        return try result.get()
    }

    private func tell(
        _ story: @escaping @Sendable (Stage, inout Findings) async -> Void, _ folder: String, _ endpoint: HTTPURL
    ) async -> Result<[String], any Error> {
        let surroundings = Surroundings(
            clock: VirtualClock(conductor), now: { self.now }, random: { self.chance.withLock { $0.next() } },
            executor: conductor)
        do {
            let journal = try Journal.open(
                folder, .daemon(RunStarted(role: "daemon", version: "0", host: "tests", pid: 1)),
                mapSize: 64 << 20, surroundings: surroundings, isInline: true)
            let client = DynamoDBClient(
                ResolvedSource(region: "us-east-1", endpoint: endpoint),
                credentials: CredentialsChain([AnyKey()], surroundings: surroundings),
                transport: service, retry: RetryPolicy(), limits: limits,
                surroundings: surroundings)
            let daemon = Daemon(
                configuration: configuration,
                journal: journal, source: client, target: target,
                logger: Logger(label: "tests") { _ in LogHandlerOf(stage: self) }, surroundings: surroundings,
                report: { signs in
                    self.signs.withLock { $0 = signs }
                    if let hang = signs.hang { self.found.withLock { $0.append(hang) } }
                })
            let running = Task(executorPreference: conductor) { try? await daemon.run() }
            var findings = Findings()
            await story(self, &findings)
            daemon.stop()
            await running.value
            await journal.close(reason: "the test ends")
            return .success(findings.wrong)
        } catch {
            return .failure(error)
        }
    }

    private struct LogHandlerOf: LogHandler {
        let stage: Stage
        var logLevel: Logger.Level = .warning
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            stage.log.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
        }
    }
}

private struct AnyKey: CredentialsProvider {
    let name = "the test"
    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
        .found(Credentials(accessKeyID: "A", secretAccessKey: "b"))
    }
}

/// The same draws in each run (Knuth's MMIX generator).
private struct Chance {
    private var state: UInt64 = 1

    mutating func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) / Double(1 << 53)
    }
}
