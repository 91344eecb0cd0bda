internal import ArgumentParser
internal import Dispatcher
internal import Journal

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "What is being done for each table, and whether it goes well.",
        discussion: """
            Reads the journal, and what the daemon says every other second of what it last did (vitals.json beside it): \
            when the shards were listed, when a page of each came, when the target acknowledged a write.

            HEALTH is ok; degraded (an error is being tried again, something does not move, the table is more than 12 h \
            behind, or you are to take note of something); failed (an operator must act, or the daemon hangs); or \
            stopped (no daemon runs). LAG is how old the newest record is that the target holds, and zero where the \
            newest page of each shard was empty.

            --check exits 69 unless each table is ok, for whatever watches it.

            Examples:
              shakectl status
              shakectl status --check > /dev/null || page-somebody
              shakectl status --json | jq -r 'select(.health != "ok") | .reason'
            """)

    @Flag(help: "Exit 69 unless each table is ok.")
    var check = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let context = try CommandContext(common)
        let journal = try context.openJournal()
        let view = try StatusView(journal, try DaemonPresence.of(journal, now: context.now), now: context.now)
        try context.show(json: view.json, lines: view.lines(context.palette))
        guard check else { return }
        let ill = view.tables.filter { $0.health != .ok }
        guard ill.isEmpty, !view.tables.isEmpty else { throw ShakectlError.unwell(ill) }
    }
}
