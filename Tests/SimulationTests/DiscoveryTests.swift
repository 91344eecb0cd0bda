import Curl
import Dispatcher
import DynamoDB
import Foundation
import Journal
import Logging
import Simulation
import StreamModel
import Synchronization
import Testing

/// Listings of several pages, as the real client and daemon read them, in virtual time.
@Suite("Discovery in virtual time")
struct DiscoveryTests {
    /// The same draws in each run (Knuth's MMIX generator).
    private struct Chance {
        private var state: UInt64 = 1

        mutating func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) / Double(1 << 53)
        }
    }

    /// What was not as it should be.
    private struct Findings {
        private(set) var wrong: [String] = []

        mutating func expect(_ condition: Bool, _ what: String) {
            if !condition { wrong.append(what) }
        }
    }

    /// One daemon, and what it says of itself.
    private final class Stage: Sendable {
        let conductor = Conductor(seed: 1, disorder: 0)
        let service: ManyShards
        let target = Counting()
        private let log = Mutex<[String]>([])
        private let signs = Mutex<VitalSigns?>(nil)
        private let chance = Mutex(Chance())
        private let maximumPoll: Duration

        init(maximumPoll: Duration = .seconds(1)) {
            self.maximumPoll = maximumPoll
            service = ManyShards(conductor)
        }

        /// What was logged as a warning or worse.
        var warnings: [String] { log.withLock { $0 } }
        var now: Timestamp { Timestamp(seconds: 1_750_000_000) + conductor.now }
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
                    ResolvedSource(region: "us-east-1", endpoint: endpoint), credentials: CredentialsChain([AnyKey()]),
                    transport: service, retry: RetryPolicy(), surroundings: surroundings)
                let daemon = Daemon(
                    configuration: DaemonConfiguration(
                        tables: [TableName(ManyShards.table)], mode: .incr, maximumPoll: maximumPoll, worker: "tests/1"),
                    journal: journal, source: client, target: target,
                    logger: Logger(label: "tests") { _ in LogHandlerOf(stage: self) }, surroundings: surroundings,
                    report: { signs in self.signs.withLock { $0 = signs } })
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
        let place = "the test"
        func credentials(refreshing: Bool) async throws(DynamoDBError) -> Credentials? {
            Credentials(accessKeyID: "A", secretAccessKey: "b")
        }
    }

    @Test(
        "A page in the middle of a listing that fails for ten minutes holds up no known shard, and health says so (PEERS row 2)"
    )
    func brokenPage() async throws {
        let stage = Stage(maximumPoll: .seconds(10))
        for index in 1...650 { stage.service.add(ManyShards.name(index), index) }
        let wrong = try await stage.play { stage, found in
            func suffers() -> Bool {
                stage.complaints.contains { $0.hasPrefix("the list of shards is tried again since ") }
            }
            found.expect(await stage.until(.seconds(60)) { stage.records(1...650) } != nil, "all are followed")
            found.expect(await stage.until(.seconds(30)) { stage.complaints.isEmpty } != nil, "all is well")
            stage.service.breakPage(5)
            stage.service.add(ManyShards.name(651), 651)
            found.expect(await stage.until(.seconds(60)) { suffers() } != nil, "health suffers within two intervals")
            for minute in 1...10 {
                // Shards of pages before the broken one, of that page itself, and after it.
                for index in [1, 450, 650] { stage.service.put(1000 * minute + index, in: ManyShards.name(index)) }
                await stage.wait(.seconds(60))
                for record in [1, 450, 650].map({ 1000 * minute + $0 }) {
                    found.expect(stage.records(record...record), "record \(record) in minute \(minute)")
                }
                found.expect(suffers(), "health suffers in minute \(minute)")
            }
            found.expect(!stage.records(651...651), "a shard of no whole listing is not known")
            stage.service.breakPage(nil)
            found.expect(await stage.until(.seconds(30)) { stage.records(651...651) } != nil, "it is found after that")
            found.expect(await stage.until(.seconds(10)) { stage.complaints.isEmpty } != nil, "all is well again")
        }
        #expect(wrong == [])
        #expect(stage.target.records.count == 681, "each once")
    }

    @Test(
        "Five hundred shards that end at once find their children within twenty seconds, at ten listing calls a second (PEERS row 16)"
    )
    func throttled() async throws {
        let stage = Stage()
        for index in 1...500 { stage.service.add(ManyShards.name(index), index) }
        let wrong = try await stage.play { stage, found in
            found.expect(await stage.until(.seconds(20)) { stage.records(1...500) } != nil, "all are followed")
            for index in 1...500 {
                let parent = ManyShards.name(index)
                stage.service.add(ManyShards.name(index, generation: 1), parent: parent, 1000 + index)
                stage.service.close(parent)
            }
            var suffered: Set<String> = []
            // Sooner than the next listing is due.
            let taken = await stage.until(.seconds(20)) {
                suffered.formUnion(stage.complaints)
                return stage.records(1001...1500)
            }
            found.expect(taken != nil, "all children are followed")
            found.expect(stage.warnings.isEmpty, "\(stage.warnings)")
            found.expect(suffered.isEmpty, "\(suffered)")
        }
        #expect(wrong == [])
        #expect(stage.target.records.count == 1000, "each once")
    }
}
