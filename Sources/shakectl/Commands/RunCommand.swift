internal import AllTargets
internal import ArgumentParser
internal import Dispatcher
internal import DynamoDB
internal import Foundation
internal import Journal
internal import Logging
internal import StreamModel
internal import Synchronization
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

            Targets: \(TargetSchemes.all.forms.joined(separator: ", ")). jsonl:- is standard output.

            Examples:
              shakectl run --table orders --target sqlite:replica.db
              shakectl run --table orders --table users --target jsonl:changes.jsonl \\
                --mode incr --start-at latest
              shakectl run --table orders --target sqlite:replica.db --until-idle 5 \\
                --source-endpoint http://localhost:8000

            The same as configuration (shake.yaml):
              journal: /var/lib/shake
              source: {region: eu-central-1, profile: replication, enable_streams: false}
              tables: [orders, users]      # or {include: ['shop-*'], exclude: ['*-tmp']}
              target: sqlite:/var/lib/shake/replica.db   # or {url: …, existing: refuse}
              mode: all                    # all, full or incr
              start_at: trim-horizon       # or latest
              log: {format: json, level: info}
              memory_budget: 32MiB
              poll: {maximum: 1s}
              limits: {get_records: 1000, get_records_per_table: 1000, describe_stream: 8}
              scan: {segments: 64, readers: 8, capacity: 50%, consistent: true}
              discovery_interval: 30s
              filter: {expression: "#s = :s", names: {"#s": status}, values: {":s": {S: open}}}
              on_loss: stop                # or skip, resync; or a list such as [stop, users=resync]
              dead_letter_limit: 100
              fold: {after: 48h, resolution: 1h, history: 7d}
              http: 127.0.0.1:9464         # or {address: …, token_file: …}
            """)

    @OptionGroup var options: RunOptions

    @Flag(help: "Make the tables' places in the target ready, and exit.")
    var schemaOnly = false

    @OptionGroup var common: CommonOptions

    /// Half a minute.
    private static let reportsBetweenTrims = 15

    func run() async throws {
        let manager = ServiceManager.adopt()
        HeapSettings.apply()
        var context = try CommandContext(common) { settings throws(ShakectlError) in try options.add(to: &settings) }
        let configuration = context.configuration
        let environment = ProcessInfo.processInfo.environment
        let logger = configuration.makeLogger(environment)

        if let target = options.target, ExposedPassword.isIn(target) { logger.warning("\(ExposedPassword.warning)") }
        // Everything that can be wrong with what was said is found before anything is made.
        var daemonConfiguration = try configuration.daemon(worker: "\(Host.name)/\(Host.pid)")
        daemonConfiguration.preparesOnly = schemaOnly
        let http = try configuration.http()
        let serving = schemaOnly ? nil : Serving(http)
        let place = try await configuration.located(environment)
        let target = try place.makeTarget(environment)
        let client = try await place.makeClient(environment: environment, SourceTrouble(logger), serving?.calls)
        if let serving { context.surroundings.committed = serving.committed }
        let journal = try context.openJournal(
            .daemon(
                RunStarted(
                    role: "daemon", version: Version.text, host: Host.name, pid: Host.pid, region: client.region,
                    endpoint: client.endpoint == client.streamsEndpoint ? client.endpoint : "", target: target.name),
                takesOver: target.takesOver))
        VitalsFile.remove(from: journal.path)

        let reports = Counter()
        let daemon = Daemon(
            configuration: daemonConfiguration, journal: journal, source: client, target: target, logger: logger,
            observer: StandardError.shared.showsProgress ? TerminalProgress() : NoProgress(),
            surroundings: context.surroundings, instruments: serving?.instruments ?? Instruments(),
            report: { [mode = daemonConfiguration.mode] signs in
                serving?.signs.note(signs)
                VitalsFile.write(signs, mode, in: journal.path)
                manager?.report(signs)
                if reports.next() % Self.reportsBetweenTrims == 0 { HeapSettings.trim() }
            })
        let signals = StopSignals()
        await signals.listen(logger) {
            manager?.stopping("stopping: finishing what is in flight")
            daemon.stop()
        }
        logger.notice(
            "started",
            metadata: [
                "version": "\(Version.text)", "journal": "\(journal.path)", "target": "\(target.name)",
                "region": "\(client.region)", "endpoint": "\(client.endpoint)",
                "tables": "\(daemonConfiguration.spokenTables)",
                "mode": "\(daemonConfiguration.mode.rawValue)",
            ])

        let server: Task<Void, Never>?
        do throws(ShakectlError) {
            server = try await serving?.begin(journal, daemon, logger)
        } catch {
            await client.shutdown()
            await journal.close(reason: "error: \(error)")
            signals.end()
            throw error
        }

        let outcome: Result<Void, DaemonError>
        do { outcome = .success(try await daemon.run()) } catch { outcome = .failure(error) }
        StandardError.shared.progress(nil)

        let reason =
            switch outcome {
            case .success: signals.first ?? ending(daemonConfiguration)
            case .failure(let error): "error: \(error)"
            }
        manager?.stopping("ended: \(reason)")
        // Not waited for: whoever still reads an answer is no reason to go on.
        server?.cancel()
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

/// Counts from 1.
private final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
