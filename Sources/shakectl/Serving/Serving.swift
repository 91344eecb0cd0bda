internal import CoreMetrics
internal import Dispatcher
internal import DynamoDB
internal import Journal
internal import Logging
internal import Prometheus
internal import ServiceLifecycle
internal import StatusServer
internal import StreamModel

/// All that a daemon with `--http` has besides one without: what counts, what knows the answers, and the server.
struct Serving: Sendable {
    private let settings: HTTPSettings
    private let registry = Registry(MetricCatalogue.declarations)
    let signs = LatestSigns()
    let instruments: Instruments
    let calls: SourceCalls
    private let commits: CoreMetrics.Timer

    /// `nil`: nobody is served, and nothing is counted.
    init?(_ settings: HTTPSettings?) {
        guard let settings else { return nil }
        self.settings = settings
        instruments = Instruments(registry)
        calls = SourceCalls(registry)
        commits = CoreMetrics.Timer(label: MetricCatalogue.journalCommit, factory: registry)
    }

    func committed(_ nanoseconds: UInt64) { commits.recordNanoseconds(nanoseconds) }

    /// Begins to serve, and goes on beside the daemon until the task is cancelled. What ends the server later is logged, and ends
    /// nothing else.
    ///
    /// - Throws: `.http` where it can't begin.
    func begin(_ journal: Journal, _ daemon: Daemon, _ logger: Logger) async throws(ShakectlError) -> Task<Void, Never>
    {
        let server = StatusServer(
            settings.address, token: settings.token,
            answers: DaemonAnswers(journal, daemon, signs, registry, who: "host \(Host.name), pid \(Host.pid)"),
            logger: logger)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .critical)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: server, successTerminationBehavior: .ignore, failureTerminationBehavior: .ignore)
                ],
                logger: quiet))
        let task = Task {
            // What ended it is in the log by then.
            _ = try? await group.run()
        }
        do throws(StatusServerError) {
            let port = try await server.port()
            let address = HTTPAddress(host: settings.address.host, port: port)
            logger.notice(
                "serving over HTTP",
                metadata: ["address": "\(address)", "token": settings.token == nil ? "none" : "needed"])
        } catch {
            task.cancel()
            throw .http(error)
        }
        return task
    }
}
