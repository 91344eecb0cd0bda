/// A place in a shard: a decimal string of up to 40 digits, ordered as a number and never as text.
///
/// AWS's own examples grow from 23 to 25 digits along one lineage, so text order is wrong (FACTS 1.8), and 40 digits
/// exceed `UInt128`. The digits are kept four bits each, right-aligned in three words: comparing is comparing words,
/// the text comes back exactly as it arrived (DynamoDB Local pads with zeros), and nothing is allocated.
package struct SequenceNumber: Hashable, Sendable {
    private let high: UInt64  // digits 33…40 from the right
    private let middle: UInt64  // digits 17…32
    private let low: UInt64  // digits 1…16
    private let digits: UInt8

    package static let maximumDigits = 40

    /// `nil` unless `text` is 1 to 40 ASCII digits.
    package init?(_ text: Span<UInt8>) {
        let count = text.count
        guard (1...Self.maximumDigits).contains(count) else { return nil }
        var (high, middle, low): (UInt64, UInt64, UInt64) = (0, 0, 0)
        for index in text.indices {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            high = high << 4 | middle >> 60
            middle = middle << 4 | low >> 60
            low = low << 4 | UInt64(digit)
        }
        (self.high, self.middle, self.low, self.digits) = (high, middle, low, UInt8(count))
    }

    /// `nil` unless `text` is 1 to 40 ASCII digits.
    package init?(_ text: String) { self.init(Array(text.utf8)) }

    /// `nil` unless `text` is 1 to 40 ASCII digits.
    package init?(_ text: [UInt8]) { self.init(text.span) }

    /// How many digits arrived.
    package var count: Int { Int(digits) }

    /// The digits as they arrived, leading zeros included.
    package var utf8: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        write(to: &span, at: 0)
        return bytes
    }

    /// The same, over the `count` bytes of `bytes` from `start` on.
    package func write(to bytes: inout MutableSpan<UInt8>, at start: Int) {
        for index in 0..<count {
            let place = count - 1 - index
            let word = place < 16 ? low : place < 32 ? middle : high
            bytes[start + index] =
                UInt8(ascii: "0") | UInt8(truncatingIfNeeded: (word >> UInt64((place & 15) * 4)) & 0xF)
        }
    }

    package var text: String { String(decoding: utf8, as: UTF8.self) }

    /// Equal as numbers: leading zeros say nothing about the place.
    package static func == (a: SequenceNumber, b: SequenceNumber) -> Bool {
        (a.high, a.middle, a.low) == (b.high, b.middle, b.low)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(high)
        hasher.combine(middle)
        hasher.combine(low)
    }
}

extension SequenceNumber: Comparable {
    package static func < (a: SequenceNumber, b: SequenceNumber) -> Bool {
        (a.high, a.middle, a.low) < (b.high, b.middle, b.low)
    }
}

extension SequenceNumber: CustomStringConvertible {
    package var description: String { text }
}
