/// Writes metrics in Prometheus' text format 0.0.4. Source: Prometheus, "Exposition formats".
package enum Exposition {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The families by name, the samples of each by their labels: two answers can be compared. One without a sample has its HELP and
    /// TYPE all the same, so that whoever reads an answer finds all there is.
    package static func text(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in families.sorted(by: { $0.name < $1.name }) {
            text += "# HELP \(family.name) \(escaped(help: family.help))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            let samples = family.samples.map { (labels: labels($0.labels), value: $0.value) }
            for sample in samples.sorted(by: { $0.labels < $1.labels }) {
                switch sample.value {
                case .number(let value): line(family.name, sample.labels, number(value), into: &text)
                case .histogram(let histogram): lines(family.name, sample.labels, histogram, into: &text)
                }
            }
        }
        return text
    }

    private static func lines(_ name: String, _ labels: String, _ histogram: Histogram, into text: inout String) {
        for (bound, count) in histogram.cumulative {
            let bound = "le=\"\(number(bound))\""
            line("\(name)_bucket", labels.isEmpty ? bound : "\(labels),\(bound)", String(count), into: &text)
        }
        line("\(name)_sum", labels, number(histogram.sum), into: &text)
        line("\(name)_count", labels, String(histogram.count), into: &text)
    }

    private static func line(_ name: String, _ labels: String, _ value: String, into text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    private static func labels(_ labels: [MetricFamily.Label]) -> String {
        labels.map { "\($0.name)=\"\(escaped(label: $0.value))\"" }.joined(separator: ",")
    }

    /// As Go's `ParseFloat` reads it.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return String(value)
    }

    private static func escaped(help: String) -> String {
        help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    private static func escaped(label: String) -> String {
        label.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
