internal import LMDB
internal import StreamModel

/// An entry of the log as it leaves the journal, and as it comes back: what it says, and its bytes.
package struct ExportedEntry: Hashable, Sendable {
    /// The position under which it lies, and the last that it stands for: another one where events were folded.
    package let first: Position
    package let last: Position
    /// The chain's value after it.
    package let hash: [UInt8]
    /// An `Event` of journal.proto, as it lies in the log.
    package let encoded: [UInt8]
    /// What it says: one event, or what is left of each shard's.
    package let events: [Event]

    package var isFolded: Bool { events.contains { $0.payload.firstPosition != nil } }
}

/// The log from its first entry to what was its last when this began, a part at a time.
///
/// Each part is a snapshot of its own, so whoever takes them may be slow. Every entry is checked against the chain.
package struct LogExport: Sendable {
    /// The last position of it.
    package let last: Position
    /// How far old advances, and the history of shards that are over, were looked at when it began.
    package let foldedTo: Position
    package let historyFoldedTo: Position

    private let store: Store
    private var position = Position.origin
    private var chain = ChainHash.zero
    private var names: [UInt32: ShardKey] = [:]

    /// Of one part: it is held in memory.
    private static let mostEntries = 1000
    private static let mostBytes = 4 << 20

    init(_ store: Store) throws(JournalError) {
        self.store = store
        (last, foldedTo, historyFoldedTo) = try store.read { (snapshot) throws(JournalError) in
            let compacted = try store.compacted(snapshot)
            return (try store.lastPosition(snapshot), compacted.position, compacted.history)
        }
    }

    /// The next entries; none at the end.
    ///
    /// - Throws: `.foldedMeanwhile` where what comes next was folded together with what was given already; `.damaged`.
    package mutating func next() throws(JournalError) -> [ExportedEntry] {
        guard position < last else { return [] }
        let (store, start, end) = (store, position.next, last)
        var (names, chain, next) = (names, chain, start)
        var (entries, bytes): ([ExportedEntry], Int) = ([], 0)
        try store.read { (snapshot) throws(JournalError) in
            if try store.value(for: Schema.key(start), in: store.schema.log, snapshot) == nil,
                try store.isFolded(start, snapshot)
            {
                throw .foldedMeanwhile(path: store.path)
            }
            try snapshot.forEach(in: store.schema.log, from: Schema.key(start)) { (key, value) throws(JournalError) in
                guard Schema.position(key) == next else { throw store.damaged(next, "the event is missing") }
                let entry = try store.open(value, at: next, after: chain)
                guard entry.last <= end else { throw .foldedMeanwhile(path: store.path) }
                chain = ChainHash(value)
                entries.append(
                    ExportedEntry(
                        first: entry.first, last: entry.last, hash: [UInt8](value.extracting(0..<ChainHash.count)),
                        encoded: [UInt8](value.extracting(droppingFirst: ChainHash.count)),
                        events: try store.events(entry, &names, snapshot)))
                bytes += value.count
                next = entry.last.next
                return entry.last < end && entries.count < Self.mostEntries && bytes < Self.mostBytes
            }
        }
        guard let reached = entries.last?.last else { throw store.damaged(start, "the event is missing") }
        // A journal may know millions of shards.
        (self.names, self.chain, position) = (names.count > 4096 ? [:] : names, chain, reached)
        return entries
    }
}

extension Journal {
    /// All events up to the newest.
    package func export() throws(JournalError) -> LogExport { try LogExport(store) }
}
