/// The one text that stands for a DynamoDB number, so that equal numbers are equal bytes.
///
/// Plain decimal notation: no exponent, no leading `+`, no superfluous zero, and zero has no sign. `1`, `1.0`, `1e0`
/// and `0.1E1` are all `1`, as they are one key to DynamoDB (FACTS 2.6). Nothing is rounded: digits are moved, never
/// computed with.
package enum CanonicalNumber {
    /// The decimal exponents of DynamoDB's range: 1E-130 up to 9.99…E+125 (Developer Guide, data types). They bound
    /// what an exponent can blow a text up to.
    package static let exponents = -130...125

    /// The canonical text of `text`; `nil` for what is no decimal number, or lies outside DynamoDB's range.
    package static func make(_ text: [UInt8]) -> [UInt8]? {
        guard let parts = Parts(text) else { return nil }
        guard let first = parts.digits.first(where: { $0 != zero }) else { return [zero] }
        let leading = parts.digits.firstIndex(of: first) ?? 0
        let end = (parts.digits.lastIndex { $0 != zero } ?? leading) + 1
        let digits = parts.digits[leading..<end]
        // Digits before the decimal point; zero or less: that many zeros stand between the point and the first digit.
        let whole = parts.whole - leading
        guard exponents.contains(whole - 1) else { return nil }

        var canonical: [UInt8] = parts.isNegative ? [UInt8(ascii: "-")] : []
        canonical.reserveCapacity(canonical.count + max(whole, digits.count - whole) + 3)
        if whole <= 0 {
            canonical += [zero, point]
            canonical += repeatElement(zero, count: -whole)
            canonical += digits
        } else if digits.count <= whole {
            canonical += digits
            canonical += repeatElement(zero, count: whole - digits.count)
        } else {
            canonical += digits.prefix(whole)
            canonical.append(point)
            canonical += digits.dropFirst(whole)
        }
        return canonical
    }

    /// Whether one number is less than another, both as canonical texts: by sign, by how many digits stand before the point,
    /// and then digit by digit.
    package static func precedes(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        let minus = UInt8(ascii: "-")
        switch (one.first == minus, other.first == minus) {
        case (true, false): return true
        case (false, true): return false
        case (false, false): return isSmaller(one[...], other[...])
        case (true, true): return isSmaller(other.dropFirst(), one.dropFirst())
        }
    }

    /// The point is less than any digit, as bytes are.
    private static func isSmaller(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Bool {
        let (whole, otherWhole) = (one.prefix { $0 != point }.count, other.prefix { $0 != point }.count)
        return whole == otherWhole ? one.lexicographicallyPrecedes(other) : whole < otherWhole
    }

    private static let zero = UInt8(ascii: "0")
    private static let point = UInt8(ascii: ".")

    /// A number's text taken apart: its value is 0.`digits` × 10^`whole`.
    private struct Parts {
        var isNegative = false
        var digits: [UInt8] = []
        var whole = 0

        init?(_ text: [UInt8]) {
            var rest = text[...]
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                isNegative = sign == UInt8(ascii: "-")
                rest.removeFirst()
            }
            let integer = rest.prefix(while: Self.isDigit)
            rest = rest.dropFirst(integer.count)
            digits = Array(integer)
            whole = integer.count
            if rest.first == point {
                let fraction = rest.dropFirst().prefix(while: Self.isDigit)
                rest = rest.dropFirst(1 + fraction.count)
                digits += fraction
            }
            guard !digits.isEmpty else { return nil }
            if let mark = rest.first, mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") {
                // Int reads a sign and digits; more of them than any exponent in range is no number of DynamoDB's.
                guard let exponent = Int(String(decoding: rest.dropFirst(), as: UTF8.self)), abs(exponent) < 1_000_000
                else { return nil }
                whole += exponent
                rest = []
            }
            guard rest.isEmpty else { return nil }
        }

        private static func isDigit(_ byte: UInt8) -> Bool { byte &- zero <= 9 }
    }
}
