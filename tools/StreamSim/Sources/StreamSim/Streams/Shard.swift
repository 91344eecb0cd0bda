package struct Shard: Sendable {
    package let id: Text
    package let parent: Text?
    /// Of the partitions' hashes, which of them are its own.
    let hashes: ClosedRange<UInt64>
    package let starting: Text
    package internal(set) var ending: Text?
    /// When it was made and when it was closed, in microseconds.
    package let made: Int64
    package internal(set) var closed: Int64?
    private var records: [Record] = []
    /// So many of its first records are not even remembered.
    private var forgotten = 0
    /// So many of its first records were taken away before their time.
    private var removed = 0

    init(id: Text, parent: Text?, hashes: ClosedRange<UInt64>, starting: Text, made: Int64) {
        self.id = id
        self.parent = parent
        self.hashes = hashes
        self.starting = starting
        self.made = made
    }

    package var isClosed: Bool { ending != nil }
    /// How many records it ever had.
    package var count: Int { forgotten + records.count }

    mutating func append(_ record: Record) { records.append(record) }

    /// At most `limit` records from the `place`th on.
    func records(from place: Int, limit: Int) -> ArraySlice<Record> { records[(place - forgotten)...].prefix(limit) }

    /// The place of the first record that `isReached` says yes to; it must say so of all that follow.
    func place(_ isReached: (Record) -> Bool) -> Int {
        var (low, high) = (0, records.count)
        while low < high {
            let middle = (low + high) / 2
            if isReached(records[middle]) { high = middle } else { low = middle + 1 }
        }
        return forgotten + low
    }

    /// How many of its records have left the stream, of those that were made up to `horizon`.
    package func trimmed(at horizon: Int64) -> Int { max(removed, place { $0.made > horizon }) }

    /// Whether it has left the stream with all that it held: so long after it was closed.
    package func isGone(at horizon: Int64) -> Bool { closed.map { $0 <= horizon } ?? false }

    /// The newest of what has left the stream, as far as it is remembered.
    func lastTrimmed(at horizon: Int64) -> Record? {
        let count = trimmed(at: horizon) - forgotten
        return count > 0 ? records[count - 1] : nil
    }

    /// Of all its records that are remembered.
    var numbers: [Text] { records.map(\.sequenceNumber) }

    /// Takes away what was made up to a record.
    mutating func removeAll(upTo last: Text) {
        removed = max(removed, place { SequenceNumbers.isLess(last, $0.sequenceNumber) })
    }

    /// Lets go of what nobody can ask for any more.
    mutating func forget(at horizon: Int64) {
        // One stays, so that an iterator after it can be told that what it wants is gone.
        let count = trimmed(at: horizon) - forgotten - 1
        guard count > 0 else { return }
        records.removeFirst(count)
        forgotten += count
    }
}
