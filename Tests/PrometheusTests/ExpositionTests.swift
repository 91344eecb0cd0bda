import Prometheus
import Testing

@Suite("The text that Prometheus reads")
struct ExpositionTests {
    @Test("A family is its help, its type, and its samples by their labels")
    func family() {
        let family = MetricFamily(
            "shake_shards", .gauge, "Shards that are known.",
            [
                .init([.init("table", "users"), .init("status", "done")], 3),
                .init([.init("table", "orders"), .init("status", "done")], 2.5),
            ])
        #expect(
            Exposition.text([family]) == """
                # HELP shake_shards Shards that are known.
                # TYPE shake_shards gauge
                shake_shards{table="orders",status="done"} 2.5
                shake_shards{table="users",status="done"} 3

                """)
    }

    @Test("Families stand by name, and one without a sample says what it would be")
    func order() {
        let families = [
            MetricFamily("b_total", .counter, "B.", [.init([], 1)]), MetricFamily("a", .gauge, "A."),
        ]
        #expect(
            Exposition.text(families) == """
                # HELP a A.
                # TYPE a gauge
                # HELP b_total B.
                # TYPE b_total counter
                b_total 1

                """)
    }

    @Test("Quotes, backslashes and line feeds of labels are escaped, and of help the latter two")
    func escaping() {
        let family = MetricFamily(
            "a", .gauge, "one\\two\nthree \"four\"", [.init([.init("table", "a\\b\"c\nd")], 1)])
        #expect(
            Exposition.text([family]) == #"""
                # HELP a one\\two\nthree "four"
                # TYPE a gauge
                a{table="a\\b\"c\nd"} 1

                """#)
    }

    @Test("A histogram counts what is at or below each bound, and all below infinity")
    func histogram() {
        var histogram = Histogram(bounds: [0.5, 0.1])
        for value in [0.1, 0.2, 0.5, 7, 0.0625] { histogram.observe(value) }
        let family = MetricFamily(
            "a_seconds", .histogram, "A.", [.init([.init("operation", "Scan")], .histogram(histogram))])
        #expect(
            Exposition.text([family]) == """
                # HELP a_seconds A.
                # TYPE a_seconds histogram
                a_seconds_bucket{operation="Scan",le="0.1"} 2
                a_seconds_bucket{operation="Scan",le="0.5"} 4
                a_seconds_bucket{operation="Scan",le="+Inf"} 5
                a_seconds_sum{operation="Scan"} 7.8625
                a_seconds_count{operation="Scan"} 5

                """)
    }

    @Test(
        "Numbers are as Go reads them",
        arguments: [
            (Double.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (0, "0"), (-3, "-3"),
            (1e15, "1000000000000000"),
            (0.001, "0.001"), (1.5e300, "1.5e+300"),
        ])
    func numbers(number: Double, text: String) {
        let lines = Exposition.text([MetricFamily("a", .gauge, "A.", [.init([], number)])]).split(separator: "\n")
        #expect(lines.last == "a \(text)")
    }

    @Test("What is no number is no observation, and bounds that are none are left out")
    func nonsense() {
        var histogram = Histogram(bounds: [.nan, 1, .infinity, 1])
        histogram.observe(.nan)
        histogram.observe(.infinity)
        #expect(histogram.bounds == [1])
        #expect(histogram.counts == [0, 1])
    }

    @Test("Names are made valid where they are not")
    func names() {
        #expect(MetricName.sanitized("http.requests") == "http_requests")
        #expect(MetricName.sanitized("9lives") == "_9lives")
        #expect(MetricName.sanitized("") == "_")
        #expect(MetricName.sanitized("a:b_total") == "a:b_total")
        #expect(!MetricName.isValidLabel("a:b") && !MetricName.isValidLabel("__a") && MetricName.isValidLabel("_a"))
    }
}
