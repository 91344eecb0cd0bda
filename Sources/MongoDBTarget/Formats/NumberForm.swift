internal import MongoC
internal import StreamModel

/// What a number is in BSON: never one that is not exactly it.
enum NumberForm: Hashable, Sendable {
    case int64(Int64)
    case double(Double)
    case decimal(Decimal128)
    /// Canonical: BSON has no such number, or the format keeps texts.
    case text([UInt8])

    /// - Parameter text: as DynamoDB sends it.
    /// - Returns: `nil` for what is no number that DynamoDB can hold.
    init?(_ text: Span<UInt8>, _ layout: DocumentFormat.Layout) {
        if let number = Self.integer(text) {
            self.init(number, layout)
            return
        }
        guard let canonical = CanonicalNumber.make(text.indices.map { text[$0] }) else { return nil }
        self.init(canonical: canonical, layout)
    }

    init(canonical number: [UInt8], _ layout: DocumentFormat.Layout) {
        if layout != .raw, let integer = Self.integer(number.span) {
            self.init(integer, layout)
        } else if layout == .raw {
            self = .text(number)
        } else if layout == .mchange, let double = Self.double(number) {
            self = .double(double)
        } else if let decimal = Decimal128(exactly: number) {
            self = .decimal(decimal)
        } else {
            self = .text(number)
        }
    }

    private init(_ number: Int64, _ layout: DocumentFormat.Layout) {
        switch layout {
        case .typed, .plain, .change: self = .int64(number)
        case .raw: self = .text(Array("\(number)".utf8))
        case .mchange:
            let text = Array("\(number)".utf8)
            if let double = Self.double(text) {
                self = .double(double)
            } else if let decimal = Decimal128(exactly: text) {
                self = .decimal(decimal)
            } else {
                preconditionFailure("19 digits are less than 34")
            }
        }
    }

    /// What a whole number's digits say; `nil` where there is more to them, or 64 bits are too few.
    private static func integer(_ text: Span<UInt8>) -> Int64? {
        let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
        var place = isNegative ? 1 : 0
        guard place < text.count, text.count <= 20 else { return nil }
        var number: Int64 = 0
        while place < text.count {
            let digit = text[place] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            // Below zero, where there is room for one more.
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (next, isStillTooLarge) = tens.subtractingReportingOverflow(Int64(digit))
            guard !isTooLarge, !isStillTooLarge else { return nil }
            number = next
            place += 1
        }
        if isNegative { return number }
        return number == .min ? nil : -number
    }

    /// The double that is shown as the number, as each program shows doubles: in the fewest digits that no other double has. So it comes
    /// back, and is the one that NimoShake has written; `nil` where that has cost digits.
    private static func double(_ canonical: [UInt8]) -> Double? {
        guard let double = Double(String(decoding: canonical, as: UTF8.self)), double.isFinite,
            CanonicalNumber.make(Array("\(double)".utf8)) == canonical
        else { return nil }
        return double
    }

    /// Writes it; a text as a string.
    func write(to writer: inout DocumentWriter) {
        switch self {
        case .int64(let number): writer.int64(number)
        case .double(let number): writer.double(number)
        case .decimal(let number): writer.decimal128(number)
        case .text(let text): writer.string(text)
        }
    }

    /// The canonical text of what stands where a number belongs, of whatever type that another program may have made it.
    ///
    /// - Returns: `nil` where it is no number that DynamoDB can hold.
    static func text(of value: BSONValue) -> [UInt8]? {
        switch value {
        case .int32(let number): Array("\(number)".utf8)
        case .int64(let number): Array("\(number)".utf8)
        case .double(let number): number.isFinite ? CanonicalNumber.make(Array("\(number)".utf8)) : nil
        case .decimal128(let number): CanonicalNumber.make(number.text)
        case .string(let text): CanonicalNumber.make(text)
        case .document, .array, .binary, .objectID, .bool, .date, .null, .timestamp, .other: nil
        }
    }
}
