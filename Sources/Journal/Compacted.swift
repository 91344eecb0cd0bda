/// How far the log was folded, and what that left: kept in `meta`, so that the log's entries can be counted.
struct Compacted: Hashable, Sendable {
    /// Up to there every event was looked at, and old advances were folded.
    var position = Position.origin
    /// Up to there older events of shards that are over were folded too, and the log is as it will stay.
    var history = Position.origin
    /// Events that are gone.
    var events: UInt64 = 0
    /// What lies in the log instead of them.
    var stretches: UInt64 = 0
    /// Entries of the index that went with them.
    var unindexed: UInt64 = 0

    static let key = Array("compacted".utf8)

    init() {}

    private static let words = 5

    /// `nil` for a value that is none, or is not what was sealed.
    init?(_ value: [UInt8]) {
        guard let value = Sealed.open(value, under: Self.key), value.count == 8 * Self.words else { return nil }
        let words = stride(from: 0, to: value.count, by: 8).map { start in
            value[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        (position, history) = (Position(words[0]), Position(words[4]))
        (events, stretches, unindexed) = (words[1], words[2], words[3])
    }

    var value: [UInt8] {
        let words = [position.number, events, stretches, unindexed, history.number].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
        var writer = WireWriter(capacity: Seal.count + words.count)
        writer.skip(Seal.count)
        writer.append(words.span)
        Sealed.seal(&writer, under: Self.key)
        return writer.written
    }

    /// With what a transaction of the compaction does.
    mutating func add(_ plan: FoldPlan) {
        for fold in plan.folds {
            events += fold.events
            stretches += fold.isNew ? 1 : 0
            stretches -= min(stretches, fold.absorbed)
            unindexed += UInt64(fold.unindexed.count)
        }
    }

    /// How many entries a log has that ends at `last`; `nil` where it can't be.
    func entries(upTo last: Position) -> UInt64? {
        guard events <= last.number, stretches <= events, position <= last else { return nil }
        return last.number - events + stretches
    }
}
