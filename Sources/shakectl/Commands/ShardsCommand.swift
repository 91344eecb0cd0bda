internal import ArgumentParser
internal import Journal
internal import StreamModel

struct ShardsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shards",
        abstract: "The lineage of the shards as a tree: which is read, how far, and which waits for which.",
        discussion: """
            A shard is read to its end before its children are begun. Long runs of finished shards are drawn as one \
            line; --json shows each.

            Examples:
              shakectl shards
              shakectl shards orders --json | jq -r 'select(.status == "in_processing") | .shard'
            """)

    @Argument(help: "Only this table's shards.", completion: JournalNames.ofTables)
    var table: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let context = try CommandContext(common)
        let journal = try context.openJournal()
        var checkpoints = try asking(journal.checkpoints)
        let tables = try asking(journal.tables)
        if let table {
            let known = Set(checkpoints.map(\.shard.table) + tables.map(\.table)).sorted()
            guard known.contains(TableName(table)) else { throw Self.unknown(table, known: known.map(\.text)) }
            checkpoints.removeAll { $0.shard.table.text != table }
        }
        let view = ShardsView(
            checkpoints: checkpoints, signs: try DaemonPresence.of(journal, now: context.now).signs, now: context.now,
            pausedTables: Set(tables.filter { $0.pause != nil }.map(\.table)))
        try context.show(json: view.json, lines: view.lines(context.palette))
    }

    private static func unknown(_ table: String, known: [String]) -> ShakectlError {
        guard let nearest = NearestName.of(table, in: known) else {
            return .usage("the journal knows no table '\(table)', and no other yet")
        }
        return .usage("the journal knows no table '\(table)': did you mean '\(nearest)'? It knows \(known.count)")
    }
}
