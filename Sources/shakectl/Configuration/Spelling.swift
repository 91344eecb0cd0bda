internal import Dispatcher

/// How durations and sizes are spelled, in flags and in the configuration alike.
enum Spelling {
    /// Reads `250ms`, `30s`, `5m`, `2h`, `1d`, `1h30m`, or a plain number of seconds. `nil` for anything else.
    static func duration(_ text: String) -> Duration? {
        if plainNumber(text) != nil { return duration(text + "s") }
        let units: [(String, Double)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        var total = 0.0
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(letters.count)
            guard let number = plainNumber(String(digits)), let unit = units.first(where: { $0.0 == letters }) else {
                return nil
            }
            total += number * unit.1
        }
        guard total <= longest else { return nil }
        return .milliseconds(Int64(total.rounded()))
    }

    /// Reads `32MiB`, `32MB`, `512KiB`, `1GiB`, or a plain number of bytes. `nil` for anything else.
    static func size(_ text: String) -> Int? {
        let units: [String: Double] = [
            "": 1, "b": 1, "kib": 1024, "kb": 1000, "k": 1024, "mib": 1_048_576, "mb": 1_000_000, "m": 1_048_576,
            "gib": 1_073_741_824, "gb": 1_000_000_000, "g": 1_073_741_824,
        ]
        let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        guard let number = plainNumber(String(digits)), let factor = units[unit], number * factor < 1e15 else {
            return nil
        }
        return Int(number * factor)
    }

    /// Reads `500` (units a second) or `50%` (of what is provisioned, 100 % at most). `nil` for anything else, and for nothing at all.
    static func capacity(_ text: String) -> ScanCapacity? {
        guard text.hasSuffix("%") else {
            guard let units = plainNumber(text), units > 0 else { return nil }
            return .units(units)
        }
        let digits = text.dropLast().reversed().drop { $0 == " " }.reversed()
        guard let percent = plainNumber(String(digits)), percent > 0, percent <= 100 else { return nil }
        return .share(percent / 100)
    }

    /// Ten years: far beyond any use, and far below what overflows.
    private static let longest = 10 * 366 * 86_400_000.0

    /// Digits with at most one point; no sign, exponent or name, which `Double` would read too.
    private static func plainNumber(_ text: String) -> Double? {
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "." }), let number = Double(text),
            number < longest
        else { return nil }
        return number
    }
}
