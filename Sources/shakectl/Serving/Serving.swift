internal import CoreMetrics
internal import Dispatcher
internal import DynamoDB
internal import Journal
internal import Logging
internal import Prometheus
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

    /// Begins to serve, and goes on beside the daemon until the task is cancelled. What ends the server later is logged and ends
    /// nothing else; it is begun again, at the same port.
    ///
    /// - Throws: `.http` where it can't begin.
    func begin(_ journal: Journal, _ daemon: Daemon, _ logger: Logger) async throws(ShakectlError) -> Task<Void, Never>
    {
        let answers = DaemonAnswers(
            journal, signs, registry, who: "host \(Host.name), pid \(Host.pid)", heldBytes: { daemon.heldBytes })
        let first = server(at: settings.address, answers, logger)
        let running = Task { await Self.end(of: first) }
        let address: HTTPAddress
        do throws(StatusServerError) {
            address = HTTPAddress(host: settings.address.host, port: try await first.port())
            logger.notice(
                "serving over HTTP",
                metadata: ["address": "\(address)", "token": settings.token == nil ? "none" : "needed"])
        } catch {
            running.cancel()
            throw .http(error)
        }
        return Task {
            var end = await withTaskCancellationHandler {
                await running.value
            } onCancel: {
                running.cancel()
            }
            while !Task.isCancelled {
                logger.error(
                    "the HTTP server has ended and is begun again; the tables are followed on",
                    metadata: ["address": "\(address)", "cause": "\(end)", "in": "\(Spoken.duration(Self.pause))"])
                do { try await Task.sleep(for: Self.pause) } catch { return }
                end = await Self.end(of: server(at: address, answers, logger))
            }
        }
    }

    /// Before it is begun again: what was in its way, such as too many open files, may pass.
    private static let pause: Duration = .seconds(5)

    private func server(at address: HTTPAddress, _ answers: DaemonAnswers, _ logger: Logger) -> StatusServer {
        StatusServer(address, token: settings.token, answers: answers, logger: logger)
    }

    /// Runs it, and gives what has ended it.
    private static func end(of server: StatusServer) async -> String {
        do { try await server.run() } catch { return "\(error)" }
        return "it takes no more connections"
    }
}
