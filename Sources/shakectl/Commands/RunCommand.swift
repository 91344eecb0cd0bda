internal import ArgumentParser
internal import Dispatcher
internal import DynamoDB
internal import Foundation
internal import Journal
internal import Logging
internal import StreamModel
internal import Targets

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "The daemon: keep a target in step with DynamoDB tables.",
        discussion: """
            Each table is scanned once, then its stream is followed for ever. The journal holds how far that is: stop \
            or kill the daemon as you like, and the next start goes on from there.

            SIGTERM and SIGINT finish what is in flight and exit 0; a second signal ends at once. Nothing is printed \
            on standard output, save by the target jsonl:-; logs go to standard error.

            Credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN) or a \
            profile in ~/.aws, never from options or the configuration.

            Targets: sqlite:PATH, jsonl:PATH, jsonl:- (standard output), null:.

            Examples:
              shakectl run --table orders --target sqlite:replica.db
              shakectl run --table orders --table users --target jsonl:changes.jsonl \\
                --mode incr --start-at latest
              shakectl run --table orders --target sqlite:replica.db --until-idle 5 \\
                --source-endpoint http://localhost:8000

            The same as configuration (shake.yaml):
              journal: /var/lib/shake
              source: {region: eu-central-1, profile: replication}
              tables: [orders, users]
              target: sqlite:/var/lib/shake/replica.db
              existing: refuse             # what lies in the target already: refuse, append, replace or rename
              mode: all                    # all, full or incr
              start_at: trim-horizon       # or latest
              log: {format: json, level: info}
              memory_budget: 32MiB
              poll: {maximum: 1s}
              scan: {segments: 64, readers: 8, capacity: 50%, consistent: true}
              discovery_interval: 30s
              on_loss: stop                # or skip, resync; or a list such as [stop, users=resync]
              dead_letter_limit: 100
            """)

    @Option(
        parsing: .upToNextOption, help: .init("A table to follow. Give several, or repeat it.", valueName: "table"))
    var table: [String] = []

    @Option(help: .init("Where to: sqlite:PATH, jsonl:PATH, jsonl:- or null:.", valueName: "url"))
    var target: String?

    @Option(
        help: .init(
            """
            What becomes of what lies in the target when the journal knows nothing of it: refuse it, append to it, replace it, \
            or rename it, which keeps it under another name. What the journal was written with is always gone on with \
            (default: refuse).
            """, valueName: "refuse|append|replace|rename"))
    var existing: String?

    @Flag(help: "Make the tables' places in the target ready, and exit.")
    var schemaOnly = false

    @Option(
        help: .init(
            "all: scan tables that were never scanned, then follow; full: only scan; incr: only follow (default: all).",
            valueName: "all|full|incr"))
    var mode: String?

    @Option(
        help: .init(
            """
            Where incr begins in a shard of which the journal knows neither it nor any ancestor: at all that the stream \
            still holds, or only at what comes from now on (default: trim-horizon).
            """, valueName: "trim-horizon|latest"))
    var startAt: String?

    @Option(
        parsing: .unconditional,
        help: .init("Exit 0 once every table is in step and nothing came for that long.", valueName: "seconds"))
    var untilIdle: String?

    @Option(
        parsing: .unconditional,
        help: .init("Bytes of records held in memory at once (default: 32MiB).", valueName: "size"))
    var memoryBudget: String?

    @Option(
        parsing: .unconditional,
        help: .init("The longest wait between two looks at an idle shard (default: 1s).", valueName: "duration"))
    var pollMaximum: String?

    @Option(
        parsing: .unconditional,
        help: .init("Segments that a scan is cut into (default: one for each 256 MiB, from 8 to 256).", valueName: "n"))
    var scanSegments: String?

    @Option(
        parsing: .unconditional,
        help: .init(
            "Segments that are read at a time (default: 4, and more as long as that is faster).", valueName: "n"))
    var scanReaders: String?

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            What a table's scan may consume: read capacity units a second, or a share of what the table is provisioned with, \
            such as 50% (default: as fast as it goes).
            """, valueName: "units|share"))
    var scanCapacity: String?

    @Option(help: .init("Whether scans read consistently, at twice the cost (default: true).", valueName: "true|false"))
    var scanConsistent: String?

    @Option(
        parsing: .unconditional,
        help: .init("How often the list of shards is read besides when one ends (default: 30s).", valueName: "duration")
    )
    var discoveryInterval: String?

    @Option(
        help: .init(
            """
            What to do where the stream no longer has what is needed (trimmed after 24 h, a shard gone, another stream): \
            stop the table until you have looked, skip to the oldest record left, or resync, a full scan again \
            (default: stop). TABLE=POLICY is for one table; repeat it for more.
            """, valueName: "stop|skip|resync"))
    var onLoss: [String] = []

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            How many records of a table may wait as dead letters, since the target can't hold them, before the table \
            stops (default: 100).
            """, valueName: "n"))
    var deadLetterLimit: String?

    @OptionGroup var source: SourceOptions
    @OptionGroup var common: CommonOptions

    /// - Throws: `.usage`.
    func add(to settings: inout Settings) throws(ShakectlError) {
        try source.add(to: &settings)
        try settings.take(table, for: .tables)
        try settings.take(target, for: .target)
        try settings.take(existing, for: .existing)
        try settings.take(mode, for: .mode)
        try settings.take(startAt, for: .startAt)
        try settings.take(untilIdle, for: .untilIdle)
        try settings.take(memoryBudget, for: .memoryBudget)
        try settings.take(pollMaximum, for: .maximumPoll)
        try settings.take(scanSegments, for: .scanSegments)
        try settings.take(scanReaders, for: .scanReaders)
        try settings.take(scanCapacity, for: .scanCapacity)
        try settings.take(scanConsistent, for: .consistentScan)
        try settings.take(discoveryInterval, for: .discoveryInterval)
        try settings.take(onLoss, for: .onLoss)
        try settings.take(deadLetterLimit, for: .deadLetterLimit)
    }

    func run() async throws {
        HeapSettings.apply()
        let context = try CommandContext(common) { settings throws(ShakectlError) in try add(to: &settings) }
        let configuration = context.configuration
        let environment = ProcessInfo.processInfo.environment
        let logger = Logger(label: "shakectl") { _ in
            ConsoleLogHandler(
                level: configuration.logLevel, format: configuration.logFormat,
                palette: Palette(descriptor: 2, environment: environment))
        }

        // Everything that can be wrong with what was said is found before anything is made.
        var daemonConfiguration = try configuration.daemon(worker: "\(Host.name)/\(Host.pid)")
        daemonConfiguration.preparesOnly = schemaOnly
        let target = try configuration.makeTarget()
        let client = try await configuration.makeClient(environment: environment, SourceTrouble(logger))
        let journal = try context.openJournal(
            .daemon(
                RunStarted(
                    role: "daemon", version: Version.text, host: Host.name, pid: Host.pid, region: client.region,
                    endpoint: client.endpoint == client.streamsEndpoint ? client.endpoint : "", target: target.name),
                takesOver: target.takesOver))
        VitalsFile.remove(from: journal.path)

        let daemon = Daemon(
            configuration: daemonConfiguration, journal: journal, source: client, target: target, logger: logger,
            observer: StandardError.shared.showsProgress ? TerminalProgress() : NoProgress(),
            surroundings: context.surroundings,
            report: { [mode = daemonConfiguration.mode] in VitalsFile.write($0, mode, in: journal.path) })
        let signals = StopSignals()
        await signals.listen(logger) { daemon.stop() }
        logger.notice(
            "started",
            metadata: [
                "version": "\(Version.text)", "journal": "\(journal.path)", "target": "\(target.name)",
                "region": "\(client.region)", "endpoint": "\(client.endpoint)",
                "tables": "\(daemonConfiguration.tables.map(\.text).joined(separator: ","))",
                "mode": "\(daemonConfiguration.mode.rawValue)",
            ])

        let outcome: Result<Void, DaemonError>
        do { outcome = .success(try await daemon.run()) } catch { outcome = .failure(error) }
        StandardError.shared.progress(nil)

        let reason =
            switch outcome {
            case .success: signals.first ?? ending(daemonConfiguration)
            case .failure(let error): "error: \(error)"
            }
        await client.shutdown()
        await journal.close(reason: reason)
        signals.end()
        if case .failure(let error) = outcome { throw ShakectlError.daemon(error) }
        logger.notice("stopped", metadata: ["reason": "\(reason)"])
    }

    /// Why a daemon has ended by itself.
    private func ending(_ configuration: DaemonConfiguration) -> String {
        if configuration.preparesOnly { return "the target is ready" }
        return configuration.mode == .full ? "full sync finished" : "idle"
    }
}

extension Configuration {
    fileprivate func makeTarget() throws(ShakectlError) -> any Target {
        let url = try target()
        do { return try TargetURL.make(url, existing: settings.existing ?? .refuse) } catch { throw .target(error) }
    }

    fileprivate func makeClient(
        environment: [String: String], _ trouble: SourceTrouble
    ) async throws(ShakectlError) -> DynamoDBClient {
        do {
            let client = try DynamoDBClient.make(
                SourceConfiguration(region: settings.region, endpoint: settings.endpoint, profile: settings.profile),
                environment: environment, onRetry: trouble.note(_:again:))
            try await client.checkCredentials()
            return client
        } catch {
            throw .source(error)
        }
    }
}
