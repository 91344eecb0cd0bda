extension Duration {
    /// Ten years, in milliseconds: far beyond any use, and far below what overflows.
    private static let longest = 10 * 366 * 86_400_000.0

    /// Reads `250ms`, `30s`, `5m`, `2h`, `1d`, `1h30m`, or a plain number of seconds, wherever somebody writes a duration. `nil` for
    /// anything else.
    package init?(spelled text: String) {
        let units: [(name: String, milliseconds: Double)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        var total = 0.0
        var rest = Double(plain: text) == nil ? text[...] : "\(text)s"
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(letters.count)
            guard let number = Double(plain: String(digits)), let unit = units.first(where: { $0.name == letters })
            else { return nil }
            total += number * unit.milliseconds
        }
        guard total <= Self.longest else { return nil }
        self = .milliseconds(Int64(total.rounded()))
    }
}

extension Double {
    /// Digits with at most one point; no sign, exponent or name, which `Double` would read too. `nil` as well for what is as large
    /// as nobody means.
    package init?(plain text: String) {
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "." }), let number = Double(text),
            number < 1e12
        else { return nil }
        self = number
    }
}
