package import CoreMetrics
internal import Synchronization

/// Keeps what swift-metrics' counters, gauges and timers are told, and gives it as families.
///
/// The label of a metric is its name here. What was declared has its help and its buckets; any other is taken as it comes.
package final class Registry: MetricsFactory {
    /// What a name means before anybody has used it.
    package struct Declaration: Hashable, Sendable {
        package let name: String
        package let kind: MetricFamily.Kind
        package let help: String
        /// Of a histogram.
        package let bounds: [Double]

        package init(_ name: String, _ kind: MetricFamily.Kind, _ help: String, bounds: [Double] = []) {
            self.name = name
            self.kind = kind
            self.help = help
            self.bounds = bounds
        }
    }

    /// Of times of which nothing is known: from a millisecond to ten seconds.
    package static let commonBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private struct Family {
        let declaration: Declaration
        var series: [[MetricFamily.Label]: any Instrument] = [:]
    }

    private let families: Mutex<[String: Family]>

    /// - Parameter declarations: what is shown even before it is used. A name that is none is made one.
    package init(_ declarations: [Declaration] = []) {
        var families: [String: Family] = [:]
        for declaration in declarations {
            families[MetricName.sanitized(declaration.name)] = Family(declaration: declaration)
        }
        self.families = Mutex(families)
    }

    package var metrics: [MetricFamily] {
        let families = families.withLock { $0 }
        return families.map { name, family in
            MetricFamily(
                name, family.declaration.kind, family.declaration.help,
                family.series.map { MetricFamily.Sample($0.key, $0.value.value) })
        }
    }

    // MARK: - MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        instrument(label, dimensions, .counter) { _ in CounterInstrument() }
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        instrument(label, dimensions, .counter) { _ in FloatingPointCounterInstrument() }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        instrument(label, dimensions, .gauge) { _ in GaugeInstrument() }
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return instrument(label, dimensions, .gauge) { _ in GaugeInstrument() } }
        return instrument(label, dimensions, .histogram) { HistogramInstrument(bounds: $0) }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        instrument(label, dimensions, .histogram) { HistogramInstrument(bounds: $0) }
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    // MARK: -

    /// The one that has these labels, or a new one. Where the name is already of another kind, what is counted shows nowhere: the
    /// answer stays one that Prometheus can read, and nothing ends for a metric.
    private func instrument<Made: Instrument>(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind, _ make: ([Double]) -> Made
    ) -> Made {
        let name = MetricName.sanitized(label)
        let labels = Self.labels(dimensions)
        return families.withLock { families in
            var family =
                families[name]
                ?? Family(declaration: Declaration(name, kind, "", bounds: Self.commonBounds))
            guard family.declaration.kind == kind else { return make(Self.commonBounds) }
            if let known = family.series[labels] { return known as? Made ?? make(family.declaration.bounds) }
            let made = make(family.declaration.bounds)
            family.series[labels] = made
            families[name] = family
            return made
        }
    }

    /// Each name once, and `le` is a histogram's own.
    private static func labels(_ dimensions: [(String, String)]) -> [MetricFamily.Label] {
        var labels: [MetricFamily.Label] = []
        for (name, value) in dimensions {
            var name = MetricName.sanitized(name).replacing(":", with: "_")
            if name == "le" || name.hasPrefix("__") { name = "label_" + name }
            if !labels.contains(where: { $0.name == name }) { labels.append(.init(name, value)) }
        }
        return labels
    }

    private func remove(_ handler: AnyObject) {
        families.withLock { families in
            for (name, family) in families {
                guard let labels = family.series.first(where: { $0.value === handler })?.key else { continue }
                families[name]?.series[labels] = nil
            }
        }
    }
}
