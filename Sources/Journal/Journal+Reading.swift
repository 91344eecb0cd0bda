internal import LMDB
package import StreamModel

extension Journal {
    /// Every shard, in the order of discovery.
    package func checkpoints() throws(JournalError) -> [Checkpoint] {
        try store.read { (snapshot) throws(JournalError) in try store.checkpoints(snapshot) }
    }

    /// Lends every shard, in the order of discovery: nothing is held of what `body` does not keep, and a journal may know hundreds
    /// of thousands.
    package func forEachCheckpoint(_ body: (Checkpoint) -> Void) throws(JournalError) {
        try store.read { (snapshot) throws(JournalError) in try store.forEachCheckpoint(snapshot, body) }
    }

    package func checkpoint(of shard: ShardKey) throws(JournalError) -> Checkpoint? {
        try store.read { (snapshot) throws(JournalError) in
            try store.ordinal(of: shard, snapshot).map { (ordinal) throws(JournalError) in
                try store.checkpoint(of: shard, ordinal: ordinal, snapshot)
            }
        }
    }

    /// `known`, and every other shard of the stream that is not over: what a decision about them can depend on.
    ///
    /// Beside a writer it looks at no others, of which there may be a thousand times as many.
    package func checkpoints(
        of table: TableName, _ stream: StreamARN, with known: some Sequence<ShardKey>
    ) throws(JournalError) -> [Checkpoint] {
        guard let open = store.openShards.all else {
            return try checkpoints().filter { $0.shard.table == table && $0.shard.stream == stream }
        }
        return try store.read { (snapshot) throws(JournalError) in
            var ordinals = open
            for shard in known {
                if let ordinal = try store.ordinal(of: shard, snapshot) { ordinals.insert(ordinal) }
            }
            var found: [Checkpoint] = []
            for ordinal in ordinals.sorted() {
                let name = try store.name(of: ordinal, snapshot)
                guard name.table == table, name.stream == stream else { continue }
                found.append(try store.checkpoint(of: name, ordinal: ordinal, snapshot))
            }
            return found
        }
    }

    package func tables() throws(JournalError) -> [TableState] {
        try store.read { (snapshot) throws(JournalError) in
            try store.tables(snapshot).values.sorted { $0.table < $1.table }
        }
    }

    package func table(_ name: TableName) throws(JournalError) -> TableState? {
        try store.read { (snapshot) throws(JournalError) in try store.tables(snapshot)[name] }
    }

    package func lastPosition() throws(JournalError) -> Position {
        try store.read { (snapshot) throws(JournalError) in try store.lastPosition(snapshot) }
    }

    /// Events of the whole log after `position`, oldest first.
    package func events(after position: Position, limit: Int) throws(JournalError) -> [Event] {
        try store.read { (snapshot) throws(JournalError) in
            var names: [UInt32: ShardKey] = [:]
            var events: [Event] = []
            guard limit > 0, position < (try store.lastPosition(snapshot)) else { return events }
            // Where the next position was folded, what is left of its stretch lies before it.
            var next = position.next
            if let (key, _) = try store.entry(holding: next, snapshot), try store.isFolded(next, snapshot) {
                next = key
            }
            var previous = try store.chain(before: next, snapshot)
            try snapshot.forEach(in: store.schema.log, from: Schema.key(next)) { (key, value) throws(JournalError) in
                guard Schema.position(key) == next else { throw store.damaged(next, "the event is missing") }
                let entry = try store.open(value, at: next, after: previous)
                events += try store.events(entry, &names, snapshot).filter { $0.position > position }
                previous = ChainHash(value)
                next = entry.last.next
                return events.count < limit
            }
            return Array(events.prefix(limit))
        }
    }

    /// A shard's events. Oldest first they begin at an index entry; newest first they follow the links back.
    package func history(of shard: ShardKey, _ query: HistoryQuery) throws(JournalError) -> [Event] {
        var found: [Event] = []
        let limit = query.limit ?? .max
        guard limit > 0 else { return found }
        // One run of folded events may lie in several parts of the log, and is shown as one.
        var pending: Event?
        try walk(shard, newestFirst: query.newestFirst) { event in
            if let before = pending {
                if let joined = query.newestFirst ? event.joined(by: before) : before.joined(by: event) {
                    pending = joined
                    return true
                }
                if query.admits(before) { found.append(before) }
            }
            pending = event
            return found.count < limit
        }
        if found.count < limit, let last = pending, query.admits(last) { found.append(last) }
        return found
    }

    /// The checkpoint as it was after the event at `position`; `nil` before the shard's discovery.
    package func checkpoint(of shard: ShardKey, at position: Position) throws(JournalError) -> Checkpoint? {
        try standing(of: shard, at: position).checkpoint
    }

    /// The checkpoint as it was at `time`.
    package func checkpoint(of shard: ShardKey, at time: Timestamp) throws(JournalError) -> Checkpoint? {
        try standing(of: shard, at: time).checkpoint
    }

    /// The same, and whether more was known of that moment once.
    package func standing(of shard: ShardKey, at position: Position) throws(JournalError) -> Standing {
        let last = try lastPosition()
        guard position <= last else { throw .noSuchPosition(position, last: last) }
        return try fold(
            shard, upTo: { $0.position <= position },
            orWithin: { $0.firstPosition.map { $0 <= position } ?? false })
    }

    package func standing(of shard: ShardKey, at time: Timestamp) throws(JournalError) -> Standing {
        try fold(shard, upTo: { $0.time <= time }, orWithin: { $0.since.map { $0 <= time } ?? false })
    }

    /// The one shard that `part` names: its id, any unique part of it, or `table/part`.
    package func shard(matching part: String) throws(JournalError) -> ShardKey {
        let all = try store.read { (snapshot) throws(JournalError) in try store.allNames(snapshot) }
        let exact = all.filter { $0.shard.text == part || $0.description == part }
        if exact.count == 1 { return exact[0] }
        let candidates = exact.isEmpty ? all.filter { $0.shard.text.contains(part) || Self.matches($0, part) } : exact
        switch candidates.count {
        case 1: return candidates[0]
        case 0: throw .noSuchShard(part: part, known: all.count)
        default: throw .ambiguousShard(part: part, candidates: candidates)
        }
    }

    private static func matches(_ shard: ShardKey, _ part: String) -> Bool {
        let pieces = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        return pieces.count == 2 && shard.table.text == pieces[0] && shard.shard.text.contains(pieces[1])
    }

    /// The newest start of a daemon, which says how the source is reached and which target is filled.
    package func lastDaemonRun() throws(JournalError) -> RunStarted? {
        try store.read { (snapshot) throws(JournalError) in try store.lastDaemonRun(snapshot) }
    }

    /// The target of which the journal says what is durable there; `nil` where it says so of none.
    package func filledTarget() throws(JournalError) -> String? {
        try store.read { (snapshot) throws(JournalError) in
            var places: [Store.Place] = []
            guard try store.state(snapshot, &places).claimsData else { return nil }
            return try store.lastDaemonRun(snapshot)?.target
        }
    }

    /// The daemon that holds the journal now, or a copying that keeps daemons away; `nil` if nobody does.
    package func holder() -> LockHolder? { DaemonLock.holder(of: path) }

    /// The daemon that holds the journal now; `nil` if none runs.
    package func daemon() -> LockHolder? { holder().flatMap { $0.role == .daemon ? $0 : nil } }

    /// A line for standard output, should a page be so damaged that reading it ends the process (status 65).
    package static func say(onDamage line: String) { DataFile.say(onDamage: line) }

    /// Proves the chain, the fold and the index.
    ///
    /// - Throws: `.damaged` with the first position that does not hold.
    package func verify(progress: (Position) -> Void) throws(JournalError) -> VerifyReport {
        try Verifier(store).verify(progress: progress)
    }

    // MARK: -

    /// - Parameter isWithin: of events that were folded and are not wanted as a whole: whether some of them were.
    private func fold(
        _ shard: ShardKey, upTo isWanted: (Event) -> Bool, orWithin isWithin: (Payload) -> Bool
    ) throws(JournalError) -> Standing {
        var standing = Standing()
        var refusal: (Position, Refusal)?
        try walk(shard, newestFirst: false) { event in
            guard isWanted(event) else {
                if isWithin(event.payload) { standing.folded = event }
                return false
            }
            do throws(Refusal) {
                standing.checkpoint =
                    if let known = standing.checkpoint {
                        try known.applying(event)
                    } else {
                        try .beginning(shard, with: event.payload, position: event.position, time: event.time)
                    }
            } catch {
                refusal = (event.position, error)
                return false
            }
            return true
        }
        if let (position, refusal) = refusal { throw store.damaged(position, "the event can't follow: \(refusal)") }
        return standing
    }

    /// Visits a shard's events until `body` says `false`.
    ///
    /// An event links to the one before it, and every 32nd stands in the index: so newest first is a walk along the links, and
    /// oldest first takes one stretch of 32 after the other, each walked back and given forwards.
    private func walk(_ shard: ShardKey, newestFirst: Bool, _ body: (Event) -> Bool) throws(JournalError) {
        try store.read { (snapshot) throws(JournalError) in
            guard let ordinal = try store.ordinal(of: shard, snapshot) else { return }
            let checkpoint = try store.checkpoint(of: shard, ordinal: ordinal, snapshot)
            let links = Links(store: store, ordinal: ordinal, shard: shard)
            if newestFirst {
                try links.follow(from: checkpoint.position, downTo: Revision(1), snapshot, body)
                return
            }
            var first: Revision? = Revision(1)
            while let revision = first {
                let (events, next) = try links.stretch(from: revision, of: checkpoint, snapshot)
                for event in events where !body(event) { return }
                first = next
            }
        }
    }
}

extension Journal {
    /// Positions of the `record_refused` of a table that nobody has settled, its full sync's first.
    package func refusals(of table: TableName) throws(JournalError) -> [Position] {
        let items = try self.table(table)?.refusals ?? []
        let records = try checkpoints().filter { $0.shard.table == table }.flatMap { $0.refusals.map(\.position) }
        return items + records.sorted()
    }
}
