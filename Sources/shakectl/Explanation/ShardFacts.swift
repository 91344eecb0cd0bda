internal import Dispatcher
internal import Journal
internal import StreamModel

/// All that an explanation is made of, gathered at one moment.
struct ShardFacts: Sendable {
    let checkpoint: Checkpoint
    /// Of the same stream, by id; the shard itself is among them.
    let lineage: [ShardID: Checkpoint]
    /// Of the table's older or newer streams.
    var others: [Checkpoint] = []
    let table: TableState?
    /// Whether the daemon, or the last one there was, scans tables; where that can't be told, it may.
    var scans = true
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

    /// All of the table.
    var ofTable: [Checkpoint] { Array(lineage.values) + others }

    /// The stream that its table goes on with, where that is another than the shard's.
    var newerStream: StreamARN? { table?.stream.flatMap { $0 == shard.stream ? nil : $0 } }

    /// What it was put to by an import, where nothing was brought since.
    var isImported: Bool { checkpoint.importedSince != nil && checkpoint.epoch == .first }

    /// Whose word an import was.
    var importedFrom: String {
        for case .imported(let imported) in turns.map(\.payload) { return imported.origin.program }
        return "another program"
    }

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
        let ofTable = try asking(journal.checkpoints).filter { $0.shard.table == key.table }
        let ofStream = ofTable.filter { $0.shard.stream == key.stream }
        let lineage = Dictionary(ofStream.map { ($0.shard.shard, $0) }) { first, _ in first }
        guard let checkpoint = lineage[key.shard] else { throw .usage("shard \(key): the journal has no checkpoint of it") }
        let kinds = Set(EventKinds.ofShards).subtracting(steps)
        let turns = try asking { () throws(JournalError) in
            try journal.history(of: key, HistoryQuery(kinds: kinds, limit: longestStory, newestFirst: true))
        }
        let first = try asking { () throws(JournalError) in try journal.history(of: key, HistoryQuery(limit: 1)) }
        return ShardFacts(
            checkpoint: checkpoint, lineage: lineage, others: ofTable.filter { $0.shard.stream != key.stream },
            table: try asking { () throws(JournalError) in try journal.table(key.table) },
            scans: VitalsFile.mode(in: journal.path) != .incr,
            daemon: try DaemonPresence.of(journal, now: now),
            beginning: first.first { beginning in !turns.contains { $0.position == beginning.position } },
            turns: turns.reversed(), now: now)
    }
}
