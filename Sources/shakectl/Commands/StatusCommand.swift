internal import ArgumentParser
internal import Journal

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "What is being done for each table, and whether it goes well.",
        discussion: """
            Reads the journal only: it works beside a running daemon, and without one.

            HEALTH is ok; degraded (an error is being tried again, or the table is more than 12 h behind); failed (an \
            operator must act); or stopped (no daemon runs). LAG is how old the newest record is that the target \
            holds, and zero where a running daemon found nothing newer.

            Examples:
              shakectl status
              shakectl status --json | jq -r 'select(.health != "ok") | .reason'
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        let context = try CommandContext(common)
        let journal = try context.openJournal()
        let daemon = try DaemonPresence.of(journal)
        let tables = try asking(journal.tables)
        let checkpoints = try asking(journal.checkpoints)
        let view = StatusView(
            tables: TableStatus.all(tables: tables, checkpoints: checkpoints, daemon: daemon, now: context.now),
            daemon: daemon, journal: journal.path, target: try asking(journal.lastDaemonRun)?.target ?? "")
        try context.show(json: view.json, lines: view.lines(context.palette))
    }
}
