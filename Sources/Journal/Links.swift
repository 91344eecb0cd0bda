internal import LMDB
internal import StreamModel

/// The way from one event of a shard to the one before it.
struct Links {
    let store: Store
    let ordinal: UInt32
    let shard: ShardKey

    /// Newest first, down to the event of revision `first`, until `body` says `false`.
    func follow(
        from position: Position, downTo first: Revision, _ snapshot: borrowing some Snapshot & ~Copyable,
        _ body: (Event) -> Bool
    ) throws(JournalError) {
        var next = position
        var names = [ordinal: shard]
        while next > .origin {
            let (event, envelope) = try store.event(at: next, of: ordinal, &names, snapshot)
            guard envelope.shard == ordinal else { throw store.damaged(next, "a link leads to another shard's event") }
            guard body(event), (event.firstRevision ?? Revision.none) > first else { return }
            guard envelope.previous < next else { throw store.damaged(next, "its link leads forward") }
            next = envelope.previous
        }
    }

    /// The fold up to the event at `position`: from the nearest before it that says where those before led.
    func fold(
        upTo position: Position, _ snapshot: borrowing some Snapshot & ~Copyable
    ) throws(JournalError) -> Checkpoint {
        var events: [Event] = []
        try follow(from: position, downTo: Revision(1), snapshot) { event in
            events.append(event)
            if case .historyFolded = event.payload { return false }
            return true
        }
        guard let oldest = events.popLast() else { throw store.damaged(position, "a link leads to no event") }
        var at = oldest.position
        do throws(Refusal) {
            var checkpoint: Checkpoint
            if case .historyFolded(let folded) = oldest.payload {
                checkpoint = folded.checkpoint
            } else {
                checkpoint = try .beginning(shard, with: oldest.payload, position: oldest.position, time: oldest.time)
            }
            for event in events.reversed() {
                at = event.position
                try checkpoint.apply(event.payload, position: event.position, time: event.time)
            }
            return checkpoint
        } catch {
            throw store.damaged(at, "the event can't follow: \(error)")
        }
    }

    /// The events of revisions `first` to just before the next one in the index, oldest first, and that next one. `first`
    /// stands in the index.
    func stretch(
        from first: Revision, of checkpoint: Checkpoint, _ snapshot: borrowing ReadTransaction
    ) throws(JournalError) -> (events: [Event], next: Revision?) {
        let next = try store.indexed(from: first.next, of: ordinal, snapshot)
        var events: [Event] = []
        try follow(from: next?.position ?? checkpoint.position, downTo: first, snapshot) { event in
            events.append(event)
            return true
        }
        let expected = next?.revision ?? checkpoint.revision
        guard let oldest = events.last, oldest.stands(for: first), events.first?.stands(for: expected) == true else {
            throw store.damaged(events.last?.position, "its links don't lead back to revision \(first) of its shard")
        }
        if next != nil { events.removeFirst() }  // it begins the next stretch
        events.reverse()
        for event in events.dropFirst() {
            guard let from = event.firstRevision, let to = event.revision else { continue }
            let missing = Schema.indexed(from: from)
            guard missing > to else {
                throw store.damaged(nil, "the history index lacks revision \(missing) of shard \(checkpoint.shard)")
            }
        }
        return (events, next?.revision)
    }
}

extension Event {
    fileprivate func stands(for revision: Revision) -> Bool {
        guard let from = firstRevision, let to = self.revision else { return false }
        return from <= revision && revision <= to
    }
}
