internal import LMDB
internal import StreamModel

/// The way from one event of a shard to the one before it.
struct Links {
    let store: Store
    let ordinal: UInt32
    let names: [ShardKey]

    /// Newest first, down to the event of revision `first`, until `body` says `false`.
    func follow(
        from position: Position, downTo first: Revision, _ snapshot: borrowing ReadTransaction, _ body: (Event) -> Bool
    ) throws(JournalError) {
        var next = position
        while next > .origin {
            let (event, envelope) = try store.event(at: next, names: names, snapshot)
            guard envelope.shard == ordinal else { throw store.damaged(next, "a link leads to another shard's event") }
            guard body(event), envelope.revision > first else { return }
            guard envelope.previous < next else { throw store.damaged(next, "its link leads forward") }
            next = envelope.previous
        }
    }

    /// The events of revisions `first` to just before the next one in the index, oldest first. `first` stands in the index.
    func stretch(
        from first: Revision, of checkpoint: Checkpoint, _ snapshot: borrowing ReadTransaction
    ) throws(JournalError) -> [Event] {
        let next = Revision(first.number + Schema.indexInterval)
        var events: [Event] = []
        var end = checkpoint.position
        if next <= checkpoint.revision {
            let key = Schema.key(shard: ordinal, next)
            guard let value = try store.value(for: key, in: store.schema.index, snapshot),
                let position = Schema.position(value)
            else { throw store.damaged(nil, "the history index lacks revision \(next) of shard \(checkpoint.shard)") }
            end = position
        }
        try follow(from: end, downTo: first, snapshot) { event in
            events.append(event)
            return true
        }
        let expected = min(next.number, checkpoint.revision.number)
        guard events.last?.revision == first, events.first?.revision?.number == expected else {
            throw store.damaged(events.last?.position, "its links don't lead back to revision \(first) of its shard")
        }
        if next <= checkpoint.revision { events.removeFirst() }  // it begins the next stretch
        return events.reversed()
    }
}
