internal import Dispatcher
internal import StreamModel

/// How durations and sizes are spelled, in flags and in the configuration alike.
enum Spelling {
    /// As all durations are: `250ms`, `30s`, `5m`, `2h`, `1d`, `1h30m`, or a plain number of seconds. `nil` for anything else.
    static func duration(_ text: String) -> Duration? { Duration(spelled: text) }

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

    private static func plainNumber(_ text: String) -> Double? { Double(plain: text) }
}
