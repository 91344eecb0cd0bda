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
        let view = try ShardsView(
            journal, of: table, try DaemonPresence.of(journal, now: context.now).signs, now: context.now)
        try context.show(json: view.json, lines: view.lines(context.palette))
    }
}
