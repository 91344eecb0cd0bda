/// A number as DynamoDB has it: zero, or up to 38 significant digits between 1E-130 and 9.99…E+125, of either sign.
///
/// Equal values are equal, however they were written. Source: Developer Guide, Naming Rules and Data Types.
package struct DynamoNumber: Hashable, Sendable {
    /// Without zeros at its end; below 10^38, which is below 2^127.
    private let coefficient: UInt128
    /// The value is `coefficient` times ten to the power of this.
    private let exponent: Int16
    private let isNegative: Bool

    static let mostDigits = 38
    static let magnitudes = -130...125

    /// `nil` for what is no number, or none that DynamoDB keeps.
    package init?(_ text: Text) {
        do { try self.init(parsing: text) } catch { return nil }
    }

    package init(_ integer: Int64) {
        (coefficient, exponent) = Self.trimmed(UInt128(integer.magnitude), 0)
        isNegative = integer < 0
    }

    /// - Throws: `ValidationException`, with the service's words for why.
    init(parsing text: Text) throws(ServiceError) {
        let bytes = text.bytes
        guard !bytes.isEmpty else { throw .validation("The parameter cannot be converted to a numeric value") }
        var index = 0
        var isNegative = false
        if bytes[0] == UInt8(ascii: "-") || bytes[0] == UInt8(ascii: "+") {
            isNegative = bytes[0] == UInt8(ascii: "-")
            index = 1
        }
        var coefficient: UInt128 = 0
        var digits = 0  // of the coefficient
        var zeros = 0  // read behind it, and not in it unless another digit follows
        var exponent = 0
        var sawDigit = false
        var sawPoint = false
        var tooPrecise = false
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "."), !sawPoint {
                sawPoint = true
            } else if byte &- UInt8(ascii: "0") < 10 {
                sawDigit = true
                if sawPoint { exponent -= 1 }
                if byte == UInt8(ascii: "0") {
                    if digits > 0 { zeros += 1 }
                } else if digits + zeros >= Self.mostDigits {
                    // What counts from here on is only how many digits there are.
                    tooPrecise = true
                    digits += zeros + 1
                    zeros = 0
                } else {
                    for _ in 0...zeros { coefficient *= 10 }
                    coefficient += UInt128(byte - UInt8(ascii: "0"))
                    digits += zeros + 1
                    zeros = 0
                }
            } else {
                break
            }
            index += 1
        }
        guard sawDigit, let written = Self.exponent(bytes, from: index) else {
            throw .validation("The parameter cannot be converted to a numeric value: \(text)")
        }
        guard digits > 0 else {
            self.init(coefficient: 0, exponent: 0, isNegative: false)
            return
        }
        exponent += written + zeros
        try Self.check(magnitude: exponent + digits - 1)
        guard !tooPrecise else { throw Self.tooManyDigits }
        self.init(coefficient: coefficient, exponent: Int16(exponent), isNegative: isNegative)
    }

    private init(coefficient: UInt128, exponent: Int16, isNegative: Bool) {
        self.coefficient = coefficient
        self.exponent = exponent
        self.isNegative = isNegative
    }

    /// What stands behind the digits: nothing, or an exponent. One beyond a million is as good as a million.
    private static func exponent(_ bytes: [UInt8], from start: Int) -> Int? {
        guard start < bytes.count else { return 0 }
        guard bytes[start] | 0x20 == UInt8(ascii: "e") else { return nil }
        var index = start + 1
        var isNegative = false
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
            isNegative = bytes[index] == UInt8(ascii: "-")
            index += 1
        }
        guard index < bytes.count else { return nil }
        var value = 0
        while index < bytes.count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = min(value * 10 + Int(digit), 1_000_000_000)
            index += 1
        }
        return isNegative ? -value : value
    }

    private static var tooManyDigits: ServiceError {
        .validation("Attempting to store more than 38 significant digits in a Number")
    }

    private static var overflow: ServiceError {
        .validation("Number overflow. Attempting to store a number with magnitude larger than supported range")
    }

    private static func check(magnitude: Int) throws(ServiceError) {
        if magnitude > magnitudes.upperBound { throw overflow }
        if magnitude < magnitudes.lowerBound {
            throw .validation(
                "Number underflow. Attempting to store a number with magnitude smaller than supported range")
        }
    }

    /// Without the zeros at the coefficient's end.
    private static func trimmed(_ coefficient: UInt128, _ exponent: Int) -> (UInt128, Int16) {
        guard coefficient != 0 else { return (0, 0) }
        var (coefficient, exponent) = (coefficient, exponent)
        while true {
            let (tenth, rest) = coefficient.quotientAndRemainder(dividingBy: 10)
            guard rest == 0 else { return (coefficient, Int16(exponent)) }
            (coefficient, exponent) = (tenth, exponent + 1)
        }
    }

    /// 1, 10, 100 … 10^38.
    private static let powers: [UInt128] = {
        var powers: [UInt128] = [1]
        for _ in 0..<mostDigits { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    private static func digits(of coefficient: UInt128) -> Int {
        powers.firstIndex { coefficient < $0 } ?? powers.count
    }

    /// The power of ten of the first digit.
    private var magnitude: Int { Int(exponent) + Self.digits(of: coefficient) - 1 }

    package var isZero: Bool { coefficient == 0 }
}

extension DynamoNumber: Comparable {
    package static func < (left: DynamoNumber, right: DynamoNumber) -> Bool {
        if left.isZero || right.isZero || left.isNegative != right.isNegative { return left.sign < right.sign }
        return left.isNegative
            ? right.isSmallerInMagnitude(than: left) : left.isSmallerInMagnitude(than: right)
    }

    private var sign: Int { isZero ? 0 : isNegative ? -1 : 1 }

    private func isSmallerInMagnitude(than other: DynamoNumber) -> Bool {
        if exponent == other.exponent { return coefficient < other.coefficient }
        if magnitude != other.magnitude { return magnitude < other.magnitude }
        // Of one magnitude, so the exponents are at most 37 apart, and both have 38 digits or less when aligned.
        let gap = Int(exponent) - Int(other.exponent)
        return gap > 0
            ? coefficient * Self.powers[gap] < other.coefficient : coefficient < other.coefficient * Self.powers[-gap]
    }
}

extension DynamoNumber {
    /// - Throws: `ValidationException` where the exact sum has more than 38 digits or lies outside of the range. The
    ///   service calls both an overflow (observed, says Alternator's test suite: 1e50 + 1).
    package func adding(_ other: DynamoNumber) throws(ServiceError) -> DynamoNumber {
        if isZero { return other }
        if other.isZero { return self }
        // Both as multiples of the smaller unit. The last digit of the one in that unit is not 0; so where the other
        // one needs 40 digits, or more than 2^128, the sum has at least 39 that count, and is refused anyhow.
        let (coarse, fine) = exponent >= other.exponent ? (self, other) : (other, self)
        let gap = Int(coarse.exponent) - Int(fine.exponent)
        guard gap <= Self.mostDigits else { throw Self.overflow }
        let (scaled, overflows) = coarse.coefficient.multipliedReportingOverflow(by: Self.powers[gap])
        guard !overflows else { throw Self.overflow }
        let sum: UInt128
        let isNegative: Bool
        if coarse.isNegative == fine.isNegative {
            let (added, overflows) = scaled.addingReportingOverflow(fine.coefficient)
            guard !overflows else { throw Self.overflow }
            (sum, isNegative) = (added, coarse.isNegative)
        } else if scaled >= fine.coefficient {
            (sum, isNegative) = (scaled - fine.coefficient, coarse.isNegative)
        } else {
            (sum, isNegative) = (fine.coefficient - scaled, fine.isNegative)
        }
        guard sum != 0 else { return DynamoNumber(0) }
        let (coefficient, exponent) = Self.trimmed(sum, Int(fine.exponent))
        let digits = Self.digits(of: coefficient)
        try Self.check(magnitude: Int(exponent) + digits - 1)
        guard digits <= Self.mostDigits else { throw Self.overflow }
        return DynamoNumber(coefficient: coefficient, exponent: exponent, isNegative: isNegative)
    }

    /// - Throws: as `adding`.
    package func subtracting(_ other: DynamoNumber) throws(ServiceError) -> DynamoNumber {
        try adding(other.negated)
    }

    var negated: DynamoNumber {
        isZero ? self : DynamoNumber(coefficient: coefficient, exponent: exponent, isNegative: !isNegative)
    }
}

extension DynamoNumber: CustomStringConvertible {
    /// Plain notation, without anything superfluous: 1E-130 has 130 places behind the point.
    package var text: Text {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return Text(checked: bytes)
    }

    package var description: String { text.string }

    func write(into bytes: inout [UInt8]) {
        let zero = UInt8(ascii: "0")
        guard !isZero else {
            bytes.append(zero)
            return
        }
        if isNegative { bytes.append(UInt8(ascii: "-")) }
        var reversed: [UInt8] = []
        var rest = coefficient
        if let small = UInt64(exactly: rest) {
            var rest = small
            while rest > 0 {
                reversed.append(zero + UInt8(rest % 10))
                rest /= 10
            }
        } else {
            while rest > 0 {
                let (tenth, digit) = rest.quotientAndRemainder(dividingBy: 10)
                reversed.append(zero + UInt8(digit))
                rest = tenth
            }
        }
        let places = -Int(exponent)
        if places <= 0 {
            bytes.append(contentsOf: reversed.reversed())
            bytes.append(contentsOf: repeatElement(zero, count: -places))
        } else if places < reversed.count {
            bytes.append(contentsOf: reversed[places...].reversed())
            bytes.append(UInt8(ascii: "."))
            bytes.append(contentsOf: reversed[..<places].reversed())
        } else {
            bytes.append(zero)
            bytes.append(UInt8(ascii: "."))
            bytes.append(contentsOf: repeatElement(zero, count: places - reversed.count))
            bytes.append(contentsOf: reversed.reversed())
        }
    }

    /// Where it is whole and small enough.
    package var integer: Int64? {
        guard (0...18).contains(exponent) else { return nil }
        let (scaled, overflows) = coefficient.multipliedReportingOverflow(by: Self.powers[Int(exponent)])
        guard !overflows, let whole = Int128(exactly: scaled) else { return nil }
        return Int64(exactly: isNegative ? -whole : whole)
    }

    /// Bytes of it in an item: one for the exponent, one for two digits each, one for a sign.
    ///
    /// The guide says only "approximately". This is what dynalite found by asking the service, where pairs of digits
    /// begin at even powers of ten.
    package var size: Int {
        guard !isZero else { return 1 }
        let digits = Self.digits(of: coefficient)
        let straddles = digits.isMultiple(of: 2) && magnitude.isMultiple(of: 2)
        return 1 + (digits + 1) / 2 + (straddles ? 1 : 0) + (isNegative ? 1 : 0)
    }
}
