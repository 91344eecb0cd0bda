internal import LMDB
internal import StreamModel

/// Whether each entry of the history index leads to the event that it names.
///
/// The index goes by shards and the log by time, and shards that were read side by side lead into the same folded stretches,
/// each of which holds up to some thousand of them. So as many entries as fit into a little memory are looked up at a time, in
/// the order of the log: no stretch is decoded anew for each shard in it.
struct IndexCheck {
    private struct Entry {
        let shard: UInt32
        let revision: Revision
        let position: Position
    }

    /// Entries that are looked up at a time: 1.5 MiB.
    private static let limit = 65_536

    private let store: Store
    private var entries: [Entry] = []
    private var count: UInt64 = 0

    /// How many entries there are, all of which are right.
    ///
    /// - Parameter limit: entries that are looked up at a time.
    static func entries(
        _ store: Store, _ snapshot: borrowing ReadTransaction, limit: Int = IndexCheck.limit
    ) throws(JournalError) -> UInt64 {
        var check = IndexCheck(store: store)
        try snapshot.forEach(in: store.schema.index) { (key, value) throws(JournalError) in
            guard let shard = Schema.ordinal(key), let revision = Schema.revision(key), Schema.isIndexed(revision),
                let position = Schema.position(value)
            else { throw check.damage }
            check.entries.append(Entry(shard: shard, revision: revision, position: position))
            if check.entries.count == limit { try check.lookUp(snapshot) }
            return true
        }
        try check.lookUp(snapshot)
        return check.count
    }

    private var damage: JournalError {
        store.damaged(nil, "an entry of the history index leads to another event than it names")
    }

    private mutating func lookUp(_ snapshot: borrowing ReadTransaction) throws(JournalError) {
        entries.sort { $0.position < $1.position }
        var reached: (stretch: FoldedStretch, index: [UInt32: Int])?
        for entry in entries {
            if let (stretch, index) = reached, entry.position <= stretch.last {
                guard leads(entry, into: stretch, index) else { throw damage }
                continue
            }
            guard let (key, value) = try store.entry(holding: entry.position, snapshot) else { throw damage }
            switch WireFormat.decodeEntry(value.span) {
            case .event(let event, _, _)?:
                guard key == entry.position, event.shard == entry.shard, event.revision == entry.revision else {
                    throw damage
                }
            case .folded(let stretch)?:
                let index = stretch.index
                guard leads(entry, into: stretch, index) else { throw damage }
                reached = (stretch, index)
            case nil: throw damage
            }
        }
        count += UInt64(entries.count)
        entries.removeAll(keepingCapacity: true)
    }

    /// Of a shard's events that were folded together, the first that the index wants stands for all. Where it lay is known only of
    /// their first.
    private func leads(_ entry: Entry, into stretch: FoldedStretch, _ index: [UInt32: Int]) -> Bool {
        guard let place = index[entry.shard] else { return false }
        let run = stretch.runs[place]
        guard run.indexed == entry.revision else { return false }
        return entry.revision == run.firstRevision
            ? entry.position == run.first : run.holds(entry.position, of: entry.shard)
    }
}
