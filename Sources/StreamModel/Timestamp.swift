internal import Glibc
// Where the compiler finds `timespec` depends on what else a module imports, and in which order.
internal import SwiftOverlayShims

/// A moment: microseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Hashable, Comparable, Sendable {
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package init(seconds: Double) { self.microseconds = Int64((seconds * 1_000_000).rounded()) }

    package static func now() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    package var seconds: Double { Double(microseconds) / 1_000_000 }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

    package static func - (a: Timestamp, b: Timestamp) -> Duration {
        .microseconds(a.microseconds - b.microseconds)
    }

    package static func + (a: Timestamp, b: Duration) -> Timestamp {
        let (seconds, attoseconds) = b.components
        return Timestamp(microseconds: a.microseconds + seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }
}

extension Timestamp: CustomStringConvertible {
    /// ISO 8601 in UTC, by the Gregorian calendar whatever the locale: `2026-11-23T16:32:34.123456Z`, the fraction
    /// left out where it is zero.
    package var description: String {
        let (day, microsecond) = microseconds.flooredDivision(by: 86_400_000_000)
        let (year, month, dayOfMonth) = Self.civil(day: day)
        let second = microsecond / 1_000_000
        let fraction = microsecond % 1_000_000
        var text: [UInt8] = []
        text.reserveCapacity(27)
        func append(_ value: Int64, _ width: Int, then separator: Unicode.Scalar) {
            let digits = String(value).utf8
            for _ in 0..<Swift.max(0, width - digits.count) { text.append(UInt8(ascii: "0")) }
            text += digits
            text.append(UInt8(ascii: separator))
        }
        append(year, 4, then: "-")
        append(month, 2, then: "-")
        append(dayOfMonth, 2, then: "T")
        append(second / 3600, 2, then: ":")
        append(second / 60 % 60, 2, then: ":")
        append(second % 60, 2, then: fraction == 0 ? "Z" : ".")
        if fraction != 0 { append(fraction, 6, then: "Z") }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads `2026-11-23`, `2026-11-23T16:32`, `2026-11-23T16:32:34.5Z` or `…+01:00` (a space may stand for `T`;
    /// without a zone it is UTC), or seconds since 1970 as a plain number. `nil` for anything else.
    package init?(_ text: String) {
        if let seconds = Double(text), seconds.isFinite, abs(seconds) < 1e11, !text.contains("-") {
            self.init(seconds: seconds)
            return
        }
        var rest = Substring(text).utf8[...]
        guard let year = rest.takeNumber(digits: 4), rest.take("-"), let month = rest.takeNumber(digits: 2),
            rest.take("-"), let day = rest.takeNumber(digits: 2), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var microseconds = Self.day(year: year, month: month, day: day) * 86_400_000_000
        guard Self.civil(day: microseconds / 86_400_000_000 - (microseconds % 86_400_000_000 < 0 ? 1 : 0)).day == day
        else { return nil }
        if !rest.isEmpty {
            guard rest.take("T") || rest.take("t") || rest.take(" "), let hour = rest.takeNumber(digits: 2),
                rest.take(":"), let minute = rest.takeNumber(digits: 2), hour < 24, minute < 60
            else { return nil }
            microseconds += (hour * 3600 + minute * 60) * 1_000_000
            if rest.take(":") {
                guard let second = rest.takeNumber(digits: 2), second < 61 else { return nil }
                microseconds += second * 1_000_000
                if rest.take(".") {
                    var unit: Int64 = 100_000
                    var any = false
                    while let digit = rest.takeNumber(digits: 1) {
                        microseconds += digit * unit
                        unit /= 10
                        any = true
                    }
                    guard any else { return nil }
                }
            }
            if !rest.isEmpty, !rest.take("Z"), !rest.take("z") {
                let sign: Int64 = rest.take("+") ? -1 : rest.take("-") ? 1 : 0
                guard sign != 0, let hour = rest.takeNumber(digits: 2) else { return nil }
                _ = rest.take(":")
                guard let minute = rest.takeNumber(digits: 2) else { return nil }
                microseconds += sign * (hour * 3600 + minute * 60) * 1_000_000
            }
            guard rest.isEmpty else { return nil }
        }
        self.init(microseconds: microseconds)
    }

    // Days and dates after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    private static func civil(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (day + 719_468).flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shiftedYear.flooredDivision(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Int64 {
    fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

extension Substring.UTF8View.SubSequence {
    fileprivate mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard first == UInt8(ascii: character) else { return false }
        removeFirst()
        return true
    }

    fileprivate mutating func takeNumber(digits: Int) -> Int64? {
        guard count >= digits else { return nil }
        var value: Int64 = 0
        for byte in prefix(digits) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        removeFirst(digits)
        return value
    }
}
