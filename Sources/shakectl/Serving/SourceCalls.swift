internal import CoreMetrics
internal import Synchronization

/// Counts and times the calls of the source, each try by itself.
final class SourceCalls: Sendable {
    /// A service has some dozens of error codes. Whatever answers with ever new ones shall not fill the memory here and in Prometheus.
    private static let mostCodes = 64

    private struct State {
        var codes: Set<String> = []
        var counters: [String: [String: Counter]] = [:]
        var timers: [String: CoreMetrics.Timer] = [:]
    }

    private let factory: any MetricsFactory
    private let retries: Counter
    private let state = Mutex(State())

    init(_ factory: any MetricsFactory) {
        self.factory = factory
        retries = Counter(label: MetricCatalogue.sourceRetries, factory: factory)
    }

    /// A try has come to an end, with `OK` or an error's code.
    func ended(_ operation: String, _ code: String, _ took: Duration) {
        let (counter, timer) = state.withLock { state in
            var code = code
            if !state.codes.contains(code) {
                if state.codes.count < Self.mostCodes { state.codes.insert(code) } else { code = "other" }
            }
            let counter =
                state.counters[operation]?[code]
                ?? Counter(
                    label: MetricCatalogue.sourceRequests, dimensions: [("operation", operation), ("code", code)],
                    factory: factory)
            state.counters[operation, default: [:]][code] = counter
            let timer =
                state.timers[operation]
                ?? CoreMetrics.Timer(
                    label: MetricCatalogue.sourceRequest, dimensions: [("operation", operation)], factory: factory)
            state.timers[operation] = timer
            return (counter, timer)
        }
        counter.increment()
        let (seconds, attoseconds) = took.components
        timer.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// A call that failed is made again.
    func again() { retries.increment() }
}
