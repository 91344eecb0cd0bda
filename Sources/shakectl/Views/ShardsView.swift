internal import Dispatcher
internal import Journal
internal import StreamModel

/// `shards`: the lineage of each stream.
struct ShardsView: Sendable {
    let checkpoints: [Checkpoint]
    /// Of a running daemon.
    let signs: VitalSigns?
    let now: Timestamp
    /// Tables that are paused as a whole.
    var pausedTables: Set<TableName> = []

    init(
        checkpoints: [Checkpoint], signs: VitalSigns?, now: Timestamp, pausedTables: Set<TableName> = []
    ) {
        self.checkpoints = checkpoints
        self.signs = signs
        self.now = now
        self.pausedTables = pausedTables
    }

    /// - Parameter table: only its shards; `nil`: all.
    /// - Throws: `.usage` for a table that the journal doesn't know, `.journal`.
    init(_ journal: Journal, of table: String?, _ signs: VitalSigns?, now: Timestamp) throws(ShakectlError) {
        var checkpoints = try asking(journal.checkpoints)
        let tables = try asking(journal.tables)
        if let table {
            let known = Set(checkpoints.map(\.shard.table) + tables.map(\.table)).sorted()
            guard known.contains(TableName(table)) else { throw Self.unknown(table, known: known.map(\.text)) }
            checkpoints.removeAll { $0.shard.table.text != table }
        }
        self.init(
            checkpoints: checkpoints, signs: signs, now: now,
            pausedTables: Set(tables.filter { $0.pause != nil }.map(\.table)))
    }

    private static func unknown(_ table: String, known: [String]) -> ShakectlError {
        guard let nearest = NearestName.of(table, in: known) else {
            return .usage("the journal knows no table '\(table)', and no other yet")
        }
        return .usage("the journal knows no table '\(table)': did you mean '\(nearest)'? It knows \(known.count)")
    }

    private func lag(of checkpoint: Checkpoint) -> Duration? {
        Lag.of(checkpoint, sign: signs?[checkpoint.shard], now: now)
    }

    /// Whether an operator has said that it, or all of its table, is not to be read.
    private func isPaused(_ checkpoint: Checkpoint) -> Bool {
        checkpoint.pause != nil || !checkpoint.status.letsChildrenStart && pausedTables.contains(checkpoint.shard.table)
    }

    /// A stream of a table, and its shards.
    private var streams: [(stream: ShardKey, checkpoints: [Checkpoint])] {
        let groups = Dictionary(grouping: checkpoints) {
            ShardKey(table: $0.shard.table, stream: $0.shard.stream, shard: ShardID(""))
        }
        return groups.sorted { $0.key < $1.key }.map { (stream: $0.key, checkpoints: $0.value) }
    }

    /// Parents before their children.
    var json: [JSON] {
        streams.flatMap { stream -> [JSON] in
            let children = ShardTree.children(stream.checkpoints)
            return ShardTree.order(stream.checkpoints).map { checkpoint -> JSON in
                [
                    "table": .string(checkpoint.shard.table.text),
                    "stream": .string(checkpoint.shard.stream.text),
                    "shard": .string(checkpoint.shard.shard.text),
                    "parent": .string(checkpoint.parent?.text),
                    "children": .array(
                        (children[checkpoint.shard.shard] ?? []).map { .string($0.shard.shard.text) }),
                    "status": .string(checkpoint.status.rawValue),
                    "sequence_number": .string(checkpoint.sequenceNumber?.text),
                    "starting_sequence_number": .string(checkpoint.range.starting?.text),
                    "ending_sequence_number": .string(checkpoint.range.ending?.text),
                    "lag_seconds": .seconds(lag(of: checkpoint)),
                ]
            }
        }
    }

    func lines(_ palette: Palette) -> [String] {
        guard !checkpoints.isEmpty else { return ["The journal knows no shard yet."] }
        var lines: [String] = []
        for (stream, checkpoints) in streams {
            if !lines.isEmpty { lines.append("") }
            lines.append("\(palette.paint(stream.table.text, .bold))  \(palette.paint(stream.stream.text, .dim))")
            var text = TextTable([
                .init("SHARD"), .init("STATUS"), .init("PLACE"), .init("RECORDS", .right), .init("LAG", .right),
            ])
            for line in ShardTree(checkpoints).lines {
                switch line.content {
                case .finished(let count):
                    text.rows.append(
                        .cells([.init("\(line.prefix)… \(Spoken.count(UInt64(count), "shard")), each done", .dim)]))
                case .shard(let checkpoint):
                    let lag = lag(of: checkpoint)
                    text.rows.append(
                        .cells([
                            .init(line.prefix + checkpoint.shard.shard.text),
                            isPaused(checkpoint)
                                ? .init("\(checkpoint.status.rawValue), paused", .yellow)
                                : .init(checkpoint.status.rawValue, checkpoint.status.colour),
                            .init(checkpoint.spokenPlace), .init(Spoken.count(checkpoint.records)),
                            .init(lag.map(Spoken.duration) ?? "-"),
                        ]))
                }
            }
            lines += text.lines(palette)
        }
        return lines
    }
}

extension Checkpoint {
    /// Where reading goes on: `after 123`, `at 123`, `the start`, `the newest`.
    var spokenPlace: String {
        switch (iteratorType, sequenceNumber) {
        case (.afterSequenceNumber, let number?): "after \(number)"
        case (.atSequenceNumber, let number?): "at \(number)"
        case (.latest, let number): number.map { "after \($0)" } ?? "the newest"
        case (.trimHorizon, let number?): "the oldest left after \(number)"
        case (_, let number): number.map { "after \($0)" } ?? "the start"
        }
    }
}
