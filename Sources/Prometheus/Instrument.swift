internal import CoreMetrics
internal import Synchronization

/// What one set of labels of a family counts into. Any thread may write; a write is one atomic addition, or a short lock.
protocol Instrument: AnyObject, Sendable {
    var value: MetricFamily.Value { get }
}

final class CounterInstrument: Instrument, CounterHandler {
    private let total = Atomic<Int64>(0)

    var value: MetricFamily.Value { .number(Double(total.load(ordering: .relaxed))) }

    /// A counter never falls: less than nothing is nothing.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        total.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() { total.store(0, ordering: .relaxed) }
}

final class FloatingPointCounterInstrument: Instrument, FloatingPointCounterHandler {
    private let total = Mutex(0.0)

    var value: MetricFamily.Value { .number(total.withLock { $0 }) }

    func increment(by amount: Double) {
        guard amount > 0 else { return }
        total.withLock { $0 += amount }
    }

    func reset() { total.withLock { $0 = 0 } }
}

final class GaugeInstrument: Instrument, MeterHandler, RecorderHandler {
    private let number = Mutex(0.0)

    var value: MetricFamily.Value { .number(number.withLock { $0 }) }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { number.withLock { $0 = value } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func increment(by amount: Double) { number.withLock { $0 += amount } }
    func decrement(by amount: Double) { number.withLock { $0 -= amount } }
}

/// Times in seconds, the base unit of all times here (Prometheus, "Metric and label naming").
final class HistogramInstrument: Instrument, RecorderHandler, TimerHandler {
    private let histogram: Mutex<Histogram>

    init(bounds: [Double]) { histogram = Mutex(Histogram(bounds: bounds)) }

    var value: MetricFamily.Value { .histogram(histogram.withLock { $0 }) }

    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { histogram.withLock { $0.observe(value) } }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
