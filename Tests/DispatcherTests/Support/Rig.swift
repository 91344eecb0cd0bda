import Dispatcher
import DynamoDB
import Foundation
import Journal
import Logging
import StreamModel
import Synchronization
import Targets
import TestSupport
import Testing

/// A whole daemon in this process: the real journal in a folder of its own, between a scripted source and target.
final class Rig: Sendable {
    let source: FakeStream
    let target: RecordingTarget
    let clock = HastyClock()
    /// Of pages, as source and target see it.
    let load = Load()
    let log = LogBook()
    private let lastSigns = Mutex<VitalSigns?>(nil)
    private let scratch = Scratch()
    /// Of daemons of all tests.
    private static let slots = Slots(16)

    init(storesPositions: Bool = false) {
        source = FakeStream(load: load)
        target = RecordingTarget(storesPositions: storesPositions, load: load)
    }

    /// The machine's, but that waits are short.
    private func surroundings(
        now: @escaping @Sendable () -> Timestamp = { .now() }, uptime: (@Sendable () -> Duration)? = nil
    ) -> Surroundings {
        var surroundings = Surroundings(now: now)
        if let uptime { surroundings.uptime = uptime }
        surroundings.clock = clock
        return surroundings
    }

    private var path: String { scratch.path + "/journal" }

    private var touched: String { path + "/touched" }
    /// Whether anything is kept of what streams have changed beside scans.
    var keepsTouched: Bool { (try? FileManager.default.contentsOfDirectory(atPath: touched))?.isEmpty == false }
    func removeTouched() throws { try FileManager.default.removeItem(atPath: touched) }

    /// As a disk or a hand may do it.
    func damageTouched() throws {
        for name in try FileManager.default.subpathsOfDirectory(atPath: touched) where name.hasSuffix("data.mdb") {
            let path = touched + "/" + name
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
            try Data(repeating: 0x5A, count: size).write(to: URL(filePath: path))
        }
    }

    /// Files that are removed and still open here: their disk is not given back.
    var removedAndOpen: [String] {
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return descriptors.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }.filter { $0.contains(scratch.name) && $0.hasSuffix("(deleted)") }
    }

    /// How far the scan is, as the daemon's last signs say.
    var scanProgress: ScanProgress? { lastSigns.withLock { $0?[Sample.table]?.progress } }

    /// What the daemon last said of itself.
    var signs: VitalSigns? { lastSigns.withLock { $0 } }
    /// When it did, by its own clock.
    var told: Timestamp? { lastSigns.withLock { $0?.written } }

    /// What the daemon's last signs complain about, the worst first.
    func complaints(now: Timestamp = .now()) -> [Health.Complaint] {
        lastSigns.withLock { $0 }.map { Health.complaints(of: Sample.table, $0, now: now) } ?? []
    }

    /// The shards that are read, or rest after a failure, as the daemon's last signs say.
    var shardsRead: Set<String> { Set(lastSigns.withLock { $0?[Sample.table]?.shards.map(\.id) } ?? []) }

    /// What lies in the file of dead letters, line by line.
    var deadLetters: [String] {
        let text = (try? String(contentsOfFile: path + "/dead-letters.jsonl", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// Follows from the trim horizon, and looks for shards only when one ends, unless a test says otherwise.
    static let following = DaemonConfiguration(
        tables: [Sample.table], mode: .incr, discoveryInterval: .seconds(3600), listingDelay: .zero,
        // A second of the rig's is five milliseconds.
        limits: CallLimits(getRecords: 200_000), worker: "tests/1")

    /// Ends when nothing has come for a moment.
    static let untilIdle: DaemonConfiguration = {
        var configuration = following
        configuration.untilIdle = .milliseconds(100)
        return configuration
    }()

    /// Spoils a text of the journal, wherever its file has it, in place: whoever has it open sees that.
    private func damage(_ text: String) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path + "/data.mdb"))
        let bytes = Array(try file.readToEnd() ?? Data())
        let sought = Array(text.utf8)
        let found = bytes.indices.dropLast(sought.count - 1).filter {
            bytes[$0..<($0 + sought.count)].elementsEqual(sought)
        }
        #expect(!found.isEmpty, "the journal has no “\(text)”")
        for index in found {
            try file.seek(toOffset: UInt64(index))
            try file.write(contentsOf: [bytes[index] ^ 1])
        }
        try file.close()
    }

    /// Runs a daemon for as long as `body` does; then everything held is let go, and the daemon is stopped.
    ///
    /// - Parameters:
    ///   - ahead: so much later than now it is.
    ///   - spoilt: a text that is damaged in the journal when that is open, and before the daemon begins.
    /// - Returns: how the daemon ended.
    @discardableResult
    func run(
        _ configuration: DaemonConfiguration = Rig.following, ahead: Duration = .zero, spoiling spoilt: String? = nil,
        _ body: (Running) async throws -> Void
    ) async throws -> Result<Void, DaemonError> {
        let now: @Sendable () -> Timestamp = { .now() + ahead }
        return try await run(configuration, spoiling: spoilt, now: now, body)
    }

    /// The same, with a clock of the test's own.
    ///
    /// - Parameter uptime: what waits are measured by; `nil`: the machine's.
    @discardableResult
    func run(
        _ configuration: DaemonConfiguration = Rig.following, spoiling spoilt: String? = nil,
        now: @escaping @Sendable () -> Timestamp, uptime: (@Sendable () -> Duration)? = nil,
        _ body: (Running) async throws -> Void
    ) async throws -> Result<Void, DaemonError> {
        await Self.slots.take()
        defer { Self.slots.giveBack() }
        let journal = try await openJournal(surroundings(now: now, uptime: uptime))
        if let spoilt { try damage(spoilt) }
        let running = Running(
            journal,
            Daemon(
                configuration: configuration, journal: journal, source: source, target: target, logger: log.logger,
                surroundings: surroundings(now: now, uptime: uptime),
                report: { [self] signs in lastSigns.withLock { $0 = signs } }))
        let result: Result<Void, any Error>
        do { result = .success(try await body(running)) } catch { result = .failure(error) }
        source.release()
        target.release()
        let outcome = await running.stop()
        await journal.close(reason: "the test ends")
        try result.get()
        return outcome
    }

    /// Runs a daemon until it ends by itself, as `--until-idle` does.
    @discardableResult
    func runToRest(_ configuration: DaemonConfiguration = Rig.untilIdle) async throws -> Result<Void, DaemonError> {
        try await run(configuration) { running in
            try await eventually("the daemon ends by itself") { running.hasEnded }
        }
    }

    /// Runs a daemon until the fuse has burnt, and then takes everything away from it at once.
    func crash(_ configuration: DaemonConfiguration = Rig.untilIdle, at fuse: Fuse) async throws {
        await (try openJournal()).close(reason: "made")
        // A steward's journal says nothing at its closing, so what it holds then is what a kill would leave.
        let journal = try Journal.open(path, .steward(.test), mapSize: Self.mapSize)
        source.use(fuse)
        target.use(fuse)
        fuse.whenBurnt { await journal.close(reason: "killed") }
        let running = Running(
            journal,
            Daemon(
                configuration: configuration, journal: journal, source: source, target: target, logger: .silent,
                surroundings: surroundings()))
        let result: Result<Void, any Error>
        do {
            result = .success(
                try await eventually("the fuse burns, or the daemon ends") { fuse.isBurnt || running.hasEnded })
        } catch {
            result = .failure(error)
        }
        _ = await running.stop()
        await journal.close(reason: "the test ends")
        source.use(Fuse())
        target.use(Fuse())
        try result.get()
    }

    /// Opens the journal beside a daemon, as an operator's command does.
    func asOperator<R>(_ body: (Journal) async throws -> R) async throws -> R {
        let journal = try Journal.open(path, .steward(.test), mapSize: Self.mapSize)
        let result: Result<R, any Error>
        do { result = .success(try await body(journal)) } catch { result = .failure(error) }
        await journal.close(reason: "done")
        return try result.get()
    }

    /// What the journal says when nobody holds it.
    func journal<R>(_ body: (Journal) throws -> R) throws -> R {
        try body(try Journal.open(path, .reader, mapSize: Self.mapSize))
    }

    private static let mapSize = 16 << 20

    /// The run before may not quite be gone: the lock is let go of with its last task.
    private func openJournal(_ surroundings: Surroundings = Surroundings()) async throws -> Journal {
        var opened: Journal?
        try await eventually("the journal is free") {
            do throws(JournalError) {
                opened = try Journal.open(path, .daemon(.test), mapSize: Self.mapSize, surroundings: surroundings)
                return true
            } catch {
                if case .busy = error { return false }
                throw error
            }
        }
        return try #require(opened)
    }
}

extension RunStarted {
    fileprivate static let test = RunStarted(role: "daemon", version: "0", host: "tests", pid: 1)
}

extension Logger {
    fileprivate static let silent = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
}
