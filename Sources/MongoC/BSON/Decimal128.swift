/// A decimal number of up to 34 digits: IEEE 754-2008 decimal128, with the coefficient as a binary integer.
package struct Decimal128: Hashable, Sendable, CustomStringConvertible {
    static let byteCount = 16
    package static let maximumDigits = 34
    /// Of the coefficient's last digit.
    static let exponents = -6176...6111

    /// The sign, 14 bits of the exponent above its least, and 113 of the coefficient.
    let bits: UInt128

    init(bits: UInt128) { self.bits = bits }

    /// A decimal text, such as `-12.50`, `.5` or `1E+20`. Its digits stay, trailing zeros too, but where they would be too many.
    ///
    /// - Returns: `nil` where it is no number, or not exactly one of these.
    package init?(exactly text: Span<UInt8>) {
        var place = 0
        let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
        if isNegative || text.count > 0 && text[0] == UInt8(ascii: "+") { place = 1 }
        var coefficient: UInt128 = 0
        var (digits, zeros, exponent) = (0, 0, 0)
        var (hasDigits, isFraction) = (false, false)
        scan: while place < text.count {
            switch text[place] {
            case UInt8(ascii: "0"):
                // Counted only, until a digit comes that needs them.
                hasDigits = true
                if coefficient != 0 { zeros += 1 }
                if isFraction { exponent -= 1 }
            case let byte where byte &- UInt8(ascii: "1") < 9:
                hasDigits = true
                digits += zeros + 1
                guard digits <= Self.maximumDigits else { return nil }
                for _ in 0...zeros { coefficient *= 10 }
                coefficient += UInt128(byte - UInt8(ascii: "0"))
                zeros = 0
                if isFraction { exponent -= 1 }
            case UInt8(ascii: "."):
                guard !isFraction else { return nil }
                isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard let written = Self.exponent(text, after: place) else { return nil }
                exponent += written
                place = text.count
                break scan
            default: return nil
            }
            place += 1
        }
        guard hasDigits else { return nil }
        // The trailing zeros: digits while there is room for them, and then a greater exponent.
        let kept = coefficient == 0 ? 0 : min(zeros, Self.maximumDigits - digits)
        for _ in 0..<kept { coefficient *= 10 }
        exponent += zeros - kept
        if coefficient == 0 { exponent = min(max(exponent, Self.exponents.lowerBound), Self.exponents.upperBound) }
        guard Self.exponents.contains(exponent) else { return nil }
        bits =
            (isNegative ? 1 << 127 : 0) | UInt128(exponent - Self.exponents.lowerBound) << 113 | coefficient
    }

    package init?(exactly text: [UInt8]) { self.init(exactly: text.span) }

    /// Of up to five digits: more of them is no exponent of these.
    private static func exponent(_ text: Span<UInt8>, after mark: Int) -> Int? {
        var place = mark + 1
        guard place < text.count else { return nil }
        let isNegative = text[place] == UInt8(ascii: "-")
        if isNegative || text[place] == UInt8(ascii: "+") { place += 1 }
        guard place < text.count, text.count - place <= 5 else { return nil }
        var exponent = 0
        while place < text.count {
            let digit = text[place] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            exponent = exponent * 10 + Int(digit)
            place += 1
        }
        return isNegative ? -exponent : exponent
    }

    /// Plain, or with an exponent where that is how the format's standard would write it; `NaN` and `Infinity` for what is no number.
    package var text: [UInt8] {
        var text: [UInt8] = bits >> 127 == 1 ? [UInt8(ascii: "-")] : []
        let combination = UInt8(truncatingIfNeeded: bits >> 122) & 0x1F
        if combination == 0x1F { return Array("NaN".utf8) }
        if combination == 0x1E { return text + Array("Infinity".utf8) }
        let exponent: Int
        var coefficient: UInt128
        if combination >> 3 == 3 {
            // A coefficient of more than 34 digits, which counts as zero.
            exponent = Int(bits >> 111 & 0x3FFF) + Self.exponents.lowerBound
            coefficient = 0
        } else {
            exponent = Int(bits >> 113 & 0x3FFF) + Self.exponents.lowerBound
            coefficient = bits & (1 << 113 - 1)
            if coefficient >= Self.limit { coefficient = 0 }
        }
        let digits = Array(String(coefficient).utf8)
        let scientific = digits.count - 1 + exponent
        if exponent > 0 || scientific < -6 {
            text.append(digits[0])
            if digits.count > 1 { text += [UInt8(ascii: ".")] + digits[1...] }
            text += Array("E\(scientific < 0 ? "" : "+")\(scientific)".utf8)
        } else if exponent == 0 {
            text += digits
        } else {
            let whole = digits.count + exponent
            if whole > 0 {
                text += digits[..<whole] + [UInt8(ascii: ".")] + digits[whole...]
            } else {
                text += Array("0.".utf8) + repeatElement(UInt8(ascii: "0"), count: -whole) + digits
            }
        }
        return text
    }

    package var description: String { String(decoding: text, as: UTF8.self) }

    /// 10^34
    private static let limit: UInt128 = 10_000_000_000_000_000 * 1_000_000_000_000_000_000
}
