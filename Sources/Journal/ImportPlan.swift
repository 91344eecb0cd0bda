package import StreamModel

/// A table as another program has left it: all of it can be gone on with.
package struct ImportedTable: Hashable, Sendable {
    package var table: TableName
    package var stream: StreamARN
    /// Which table has the name; `nil` where nobody was asked.
    package var tableID: TableID?
    /// Why it counts as followed.
    package var reason: String
    package var shards: [Shard]

    package struct Shard: Hashable, Sendable {
        package var shard: ShardID
        package var parent: ShardID?
        package var range: SequenceRange
        package var imported: Imported

        package init(shard: ShardID, parent: ShardID?, range: SequenceRange, imported: Imported) {
            self.shard = shard
            self.parent = parent
            self.range = range
            self.imported = imported
        }
    }

    package init(table: TableName, stream: StreamARN, tableID: TableID?, reason: String, shards: [Shard]) {
        self.table = table
        self.stream = stream
        self.tableID = tableID
        self.reason = reason
        self.shards = shards
    }
}

/// Why nothing can be taken over.
package enum ImportRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The journal has a word of its own on them.
    case known([TableName])

    package var description: String {
        switch self {
        case .known(let tables):
            "nothing was imported: this journal knows \(tables.map(\.text).joined(separator: ", ")) already, and goes on from its own "
                + "checkpoints. Name the tables that it doesn't know (--table), or a journal that isn't there yet (--journal); "
                + "`shakectl rewind` puts back a shard that it knows"
        }
    }
}

/// What an import appends: decided from what the journal knows alone.
package struct ImportPlan: Hashable, Sendable {
    /// One append: all or nothing.
    package let drafts: [Draft]

    /// - Parameters:
    ///   - states: all tables that the journal knows.
    ///   - checkpoints: all of the journal.
    package static func make(
        _ tables: [ImportedTable], states: [TableState], among checkpoints: [Checkpoint]
    ) throws(ImportRefusal) -> ImportPlan {
        let known = Set(states.map(\.table)).union(checkpoints.map(\.shard.table))
        let twice = tables.map(\.table).filter(known.contains)
        guard twice.isEmpty else { throw .known(twice.sorted()) }
        return ImportPlan(drafts: tables.flatMap(drafts(of:)))
    }

    /// The shards come first: whoever sees that the table is followed sees from where.
    private static func drafts(of table: ImportedTable) -> [Draft] {
        let shards = table.parentsFirst.map { shard in
            let start: IteratorType = .trimHorizon
            return Draft(
                shard: ShardKey(table: table.table, stream: table.stream, shard: shard.shard), expecting: .none,
                [
                    .shardDiscovered(ShardDiscovered(parent: shard.parent, range: shard.range, start: start)),
                    .imported(shard.imported),
                ])
        }
        let followed = PhaseChanged(
            from: nil, to: .incrSync, stream: table.stream, reason: table.reason, tableID: table.tableID)
        return shards + [Draft(table: table.table, [.phaseChanged(followed)])]
    }
}

extension ImportedTable {
    /// Its shards, each behind its parent where that is one of them.
    fileprivate var parentsFirst: [Shard] {
        let byID = Dictionary(shards.map { ($0.shard, $0) }, uniquingKeysWith: { first, _ in first })
        var placed: Set<ShardID> = []
        var order: [Shard] = []
        for shard in shards {
            var line: [Shard] = []
            var next: Shard? = shard
            while let current = next, placed.insert(current.shard).inserted {
                line.append(current)
                next = current.parent.flatMap { byID[$0] }
            }
            order += line.reversed()
        }
        return order
    }
}
