/// The sequence numbers that the service gives out: each is greater than the one before, and they grow from 21 digits to 38, so
/// that the order of their texts is another one than theirs (FACTS 1.8).
struct SequenceNumbers: Sendable {
    private var last: UInt64 = 0
    private var given = 0
    private var chance: Chance

    init(_ chance: Chance) { self.chance = chance }

    mutating func next() -> Text {
        last += 1 + UInt64(chance.below(300))
        given += 1
        // A digit more now and then; ever more seldom, so that they still grow after ten thousand.
        if last < 100_000_000_000_000_000, chance.below(100 + given / 4) == 0 { last *= 10 }
        return Text("\(last)00000000000000000000")
    }

    /// As numbers: more digits are more.
    static func isLess(_ a: Text, _ b: Text) -> Bool {
        let (a, b) = (significant(a), significant(b))
        return a.count == b.count ? a.lexicographicallyPrecedes(b) : a.count < b.count
    }

    private static func significant(_ number: Text) -> ArraySlice<UInt8> {
        number.bytes.drop { $0 == UInt8(ascii: "0") }
    }
}
