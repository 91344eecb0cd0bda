internal import Dispatcher
internal import Journal
internal import StreamModel

/// All that an explanation is made of, gathered at one moment.
struct ShardFacts: Sendable {
    let checkpoint: Checkpoint
    /// Of the same stream, by id; the shard itself is among them.
    let lineage: [ShardID: Checkpoint]
    let table: TableState?
    let daemon: DaemonPresence
    /// Its discovery, where that is not among `turns`.
    let beginning: Event?
    /// What changed its course, oldest first: no advances. The newest of them, where there are many.
    let turns: [Event]
    let now: Timestamp

    /// Events that are no turn of a shard's course: they say that it goes on.
    static let steps: Set<String> = ["sequence_advanced", "advances_folded", "in_step", "queried"]
    /// A shard that was set back and resumed every day for a month has fewer.
    static let longestStory = 60

    var shard: ShardKey { checkpoint.shard }
    var parent: Checkpoint? { checkpoint.parent.flatMap { lineage[$0] } }

    /// In the order of their names.
    var children: [Checkpoint] {
        lineage.values.filter { $0.parent == shard.shard }.sorted { $0.shard < $1.shard }
    }

    /// What a running daemon last did with it.
    var sign: VitalSigns.Shard? { daemon.signs?[shard] }

    /// The nearest ancestors that are not read to their end, from the parent up: the last of them is what all of them wait for.
    var unfinishedAncestors: [Checkpoint] {
        var line: [Checkpoint] = []
        var seen: Set<ShardID> = [shard.shard]
        var next = parent
        while let ancestor = next, !ancestor.status.letsChildrenStart, seen.insert(ancestor.shard.shard).inserted {
            line.append(ancestor)
            next = ancestor.parent.flatMap { lineage[$0] }
        }
        return line
    }

    /// Descendants that a reader still has in its hands.
    var runningDescendants: [Checkpoint] {
        let read = daemon.signs?[shard.table]?.shards.compactMap { lineage[ShardID($0.id)] } ?? []
        return read.filter { checkpoint in
            var seen: Set<ShardID> = []
            var next = checkpoint.parent
            while let id = next, seen.insert(id).inserted {
                if id == shard.shard { return true }
                next = lineage[id]?.parent
            }
            return false
        }
    }

    var pause: KnownPause? {
        let state = table ?? TableState(table: shard.table)
        let known = KnownPause.all(state, [checkpoint])
        return known.first { $0.shard == shard } ?? known.first
    }
}

extension ShardFacts {
    /// - Throws: `.usage` for a shard that the journal doesn't know, `.journal`.
    static func gather(_ part: String, from journal: Journal, now: Timestamp) throws(ShakectlError) -> ShardFacts {
        let key = try asking { () throws(JournalError) in try journal.shard(matching: part) }
        let all = try asking(journal.checkpoints).filter { $0.shard.table == key.table && $0.shard.stream == key.stream }
        let lineage = Dictionary(all.map { ($0.shard.shard, $0) }) { first, _ in first }
        guard let checkpoint = lineage[key.shard] else { throw .usage("shard \(key): the journal has no checkpoint of it") }
        let kinds = Set(EventKinds.ofShards).subtracting(steps)
        let turns = try asking { () throws(JournalError) in
            try journal.history(of: key, HistoryQuery(kinds: kinds, limit: longestStory, newestFirst: true))
        }
        let first = try asking { () throws(JournalError) in try journal.history(of: key, HistoryQuery(limit: 1)) }
        return ShardFacts(
            checkpoint: checkpoint, lineage: lineage,
            table: try asking { () throws(JournalError) in try journal.table(key.table) },
            daemon: try DaemonPresence.of(journal, now: now),
            beginning: first.first { beginning in !turns.contains { $0.position == beginning.position } },
            turns: turns.reversed(), now: now)
    }
}
