/// How far the log was folded, and what that left: kept in `meta`, so that the log's entries can be counted.
struct Compacted: Hashable, Sendable {
    /// Up to there every event was looked at, and is as it will stay.
    var position = Position.origin
    /// Events that are gone.
    var events: UInt64 = 0
    /// What lies in the log instead of them.
    var stretches: UInt64 = 0
    /// Entries of the index that went with them.
    var unindexed: UInt64 = 0

    static let key = Array("compacted".utf8)

    init() {}

    /// `nil` for a value that is none.
    init?(_ value: [UInt8]) {
        guard value.count == 32 else { return nil }
        let words = stride(from: 0, to: 32, by: 8).map { start in
            value[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        position = Position(words[0])
        (events, stretches, unindexed) = (words[1], words[2], words[3])
    }

    var value: [UInt8] {
        [position.number, events, stretches, unindexed].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
    }

    /// How many entries a log has that ends at `last`; `nil` where it can't be.
    func entries(upTo last: Position) -> UInt64? {
        guard events <= last.number, stretches <= events, position <= last else { return nil }
        return last.number - events + stretches
    }
}
