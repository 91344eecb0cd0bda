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
}
