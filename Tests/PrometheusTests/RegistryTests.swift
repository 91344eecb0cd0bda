import CoreMetrics
import Prometheus
import Testing

@Suite("The registry")
struct RegistryTests {
    private func samples(_ registry: Registry, _ name: String) -> [MetricFamily.Sample] {
        registry.metrics.first { $0.name == name }?.samples ?? []
    }

    @Test("What is declared is shown before it is used, with its help and its buckets")
    func declared() {
        let registry = Registry([.init("a_seconds", .histogram, "A.", bounds: [1, 2])])
        #expect(registry.metrics == [MetricFamily("a_seconds", .histogram, "A.")])
        CoreMetrics.Timer(label: "a_seconds", factory: registry).recordNanoseconds(1_500_000_000)
        guard case .histogram(let histogram) = samples(registry, "a_seconds").first?.value else {
            Issue.record("it is no histogram")
            return
        }
        #expect(histogram.bounds == [1, 2])
        #expect(histogram.counts == [0, 1, 0])
        #expect(histogram.sum == 1.5)
    }

    @Test("The same name and labels count into the same place, others beside it")
    func series() {
        let registry = Registry()
        for table in ["a", "b", "a"] {
            Counter(label: "n_total", dimensions: [("table", table)], factory: registry).increment(by: 2)
        }
        let found = samples(registry, "n_total")
        #expect(Set(found) == [.init([.init("table", "a")], 4), .init([.init("table", "b")], 2)])
    }

    @Test("A counter never falls")
    func counter() {
        let registry = Registry()
        let counter = Counter(label: "n_total", factory: registry)
        counter.increment(by: 3)
        counter.increment(by: -2)
        #expect(samples(registry, "n_total") == [.init([], 3)])
    }

    @Test("A gauge is what it was set to last")
    func gauge() {
        let registry = Registry()
        let gauge = Gauge(label: "g", factory: registry)
        gauge.record(3)
        gauge.record(1.5)
        #expect(samples(registry, "g") == [.init([], 1.5)])
    }

    @Test("A name that is of another kind already keeps that kind, and the answer can be read")
    func kinds() {
        let registry = Registry()
        Counter(label: "n", factory: registry).increment()
        CoreMetrics.Timer(label: "n", factory: registry).recordNanoseconds(1)
        #expect(registry.metrics == [MetricFamily("n", .counter, "", [.init([], 1)])])
    }

    @Test("Labels have names that Prometheus takes, each once, and none is a bucket's bound")
    func labels() {
        let registry = Registry()
        Counter(label: "n", dimensions: [("a.b", "1"), ("a_b", "2"), ("le", "3")], factory: registry).increment()
        #expect(samples(registry, "n") == [.init([.init("a_b", "1"), .init("label_le", "3")], 1)])
    }

    @Test("What is destroyed is shown no more")
    func destroyed() {
        let registry = Registry()
        let counter = Counter(label: "n", dimensions: [("table", "a")], factory: registry)
        counter.increment()
        counter.destroy()
        #expect(samples(registry, "n").isEmpty)
    }

    @Test("Many threads lose nothing")
    func threads() async {
        let registry = Registry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "n", factory: registry)
                    for _ in 0..<1000 { counter.increment() }
                }
            }
        }
        #expect(samples(registry, "n") == [.init([], 8000)])
    }
}
