internal import ArgumentParser
internal import Journal
internal import StreamModel

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "What happened to a shard, when and why: its events, oldest first.",
        discussion: """
            The shard may be named by any part of its id that only one shard has, or as TABLE/PART.

            Events: \(EventKinds.ofShards.joined(separator: ", ")).

            Times are UTC, or how long ago (15m, 2h, 1d). --limit counts in the order shown: the first N, or with \
            --reverse the newest N.

            Examples:
              shakectl history 4f2a
              shakectl history orders/4f2a --since 2h --event sequence_advanced
              shakectl history 4f2a --reverse --limit 20
              shakectl history 4f2a --json | jq 'select(.event == "rewound") | .reason'
            """)

    @Argument(help: "The shard: its id, a part of it, or TABLE/PART.", completion: JournalNames.ofShards)
    var shard: String

    @Option(parsing: .unconditional, help: .init("At most so many events.", valueName: "n"))
    var limit: Int?

    @Option(
        parsing: .unconditional, help: .init("Only events from then on.", valueName: "time"), transform: Moment.parse)
    var since: Moment?

    @Option(parsing: .unconditional, help: .init("Only events up to then.", valueName: "time"), transform: Moment.parse)
    var until: Moment?

    @Option(
        help: .init("Only events of this kind; repeat it for more.", valueName: "kind"),
        completion: .list(EventKinds.ofShards))
    var event: [String] = []

    @Flag(help: "Newest first.")
    var reverse = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit expects a number of events, 1 or more") }
        for kind in event { try EventKinds.check(kind) }
    }

    func run() throws {
        let context = try CommandContext(common)
        let journal = try context.openJournal()
        let key = try asking { () throws(JournalError) in try journal.shard(matching: shard) }
        let query = HistoryQuery(
            since: since?.timestamp(now: context.now), until: until?.timestamp(now: context.now),
            kinds: event.isEmpty ? nil : Set(event), limit: limit, newestFirst: reverse)
        let events = try asking { () throws(JournalError) in try journal.history(of: key, query) }

        let lines = EventLines(palette: context.palette, namesSubject: false)
        if !common.json {
            try context.output.line("\(key.table)/\(context.palette.paint(key.shard.text, .bold))")
            try context.output.line(lines.heading)
        }
        for event in events {
            let view = EventView(event)
            try context.output.line(common.json ? view.json.line : lines.line(view))
        }
        if events.isEmpty, !common.json { try context.output.line("No event of this shard is such.") }
        try context.output.flush()
    }
}
