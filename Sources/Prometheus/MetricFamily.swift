/// All that one name stands for in an answer: its kind, what it means, and a value for each set of labels.
package struct MetricFamily: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        /// Only rises, and begins at zero with the process: its name ends in `_total`.
        case counter
        case gauge
        case histogram
    }

    package struct Label: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package enum Value: Hashable, Sendable {
        case number(Double)
        case histogram(Histogram)
    }

    package struct Sample: Hashable, Sendable {
        package let labels: [Label]
        package let value: Value

        package init(_ labels: [Label] = [], _ value: Value) {
            self.labels = labels
            self.value = value
        }

        package init(_ labels: [Label] = [], _ number: Double) { self.init(labels, .number(number)) }
    }

    /// As `MetricName.isValid` wants it.
    package let name: String
    package let kind: Kind
    package let help: String
    package var samples: [Sample]

    package init(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample] = []) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }
}

/// What may be a name. Source: Prometheus, "Data model", metric names and labels.
package enum MetricName {
    package static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: ":") }
    }

    /// Colons are for metrics only, and what begins with `__` is Prometheus' own.
    package static func isValidLabel(_ name: String) -> Bool {
        isValid(name) && !name.utf8.contains(UInt8(ascii: ":")) && !name.hasPrefix("__")
    }

    /// The nearest valid one: a library's `http.requests` is `http_requests`.
    package static func sanitized(_ name: String) -> String {
        guard !isValid(name) else { return name }
        var text = String(
            decoding: name.utf8.map { isLetter($0) || isDigit($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
        if text.utf8.first.map(isDigit) ?? true { text = "_" + text }
        return text
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
