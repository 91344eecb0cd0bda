package struct Shard: Sendable {
    package let id: String
    package let parent: String?
    /// Of the items' hashes, which of them are its own.
    let hashes: ClosedRange<UInt64>
    let starting: String
    var ending: String?
    /// When it was made and when it was closed, in microseconds.
    let made: Int64
    var closed: Int64?
    var records: [Record] = []

    package var isClosed: Bool { ending != nil }

    /// How many of its records have left the stream, of those that were made up to `horizon`.
    func trimmed(at horizon: Int64) -> Int { records.firstIndex { $0.made > horizon } ?? records.count }

    /// Whether it has left the stream with all that it held: so long after it was closed.
    func isGone(at horizon: Int64) -> Bool { closed.map { $0 <= horizon } ?? false }
}
