internal import ArgumentParser
internal import Dispatcher
internal import Journal

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "What is being done for each table, and whether it goes well.",
        discussion: """
            Reads the journal, and what the daemon says every other second of what it last did (vitals.json beside it): \
            when the shards were listed, when a page of each came, when the target acknowledged a write.

            HEALTH is ok; degraded (an error is being tried again, something does not move, the table is more than 12 h \
            behind, or you are to take note of something); failed (an operator must act, or the daemon hangs); or \
            stopped (no daemon runs, none can while `compact --copy` copies the journal, or the one that runs does not follow \
            the table). LAG is how old the newest record is that the target holds, and zero where the \
            newest page of each shard was empty.

            --check exits 69 unless each table is ok, for whatever watches it.

            --watch shows the same on the whole terminal until you press q or Ctrl-C, with the rate of records and how rate \
            and lag have gone since it began. Where standard output is no terminal it writes a line for each table, \
            and after each interval one for those that have changed; with --json such a line is an object.

            Examples:
              shakectl status
              shakectl status --watch
              shakectl status --watch 10 --json >> status.jsonl
              shakectl status --check > /dev/null || page-somebody
              shakectl status --json | jq -r 'select(.health != "ok") | .reason'
            """)

    @Flag(help: "Exit 69 unless each table is ok.")
    var check = false

    @Option(
        defaultAsFlag: "2", parsing: .next,
        help: .init("Look again every so often, until interrupted.", valueName: "seconds"))
    var watch: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard watch != nil else { return }
        if check { throw ValidationError("say one of --check, which looks once, and --watch, which never ends") }
        guard interval != nil else {
            throw ValidationError(
                "--watch expects a number of seconds or a duration from 100ms to 1h, such as 2, 500ms or 1m, found "
                    + "'\(watch ?? "")'")
        }
    }

    private var interval: Duration? {
        let allowed: ClosedRange<Duration> = .milliseconds(100)...(.seconds(3600))
        return watch.flatMap(Spelling.duration).flatMap { allowed.contains($0) ? $0 : nil }
    }

    func run() async throws {
        let context = try CommandContext(common)
        let journal = try context.openJournal()
        if let interval {
            var watch = StatusWatch(context, journal, every: interval)
            return try await watch.run()
        }
        let view = try StatusView(
            journal, try DaemonPresence.of(journal, now: context.now), now: context.now,
            place: Shell.more(context.place))
        try context.show(json: view.json, lines: view.lines(context.palette))
        guard check else { return }
        let ill = view.tables.filter { $0.health != .ok }
        guard ill.isEmpty, !view.tables.isEmpty else { throw ShakectlError.unwell(ill) }
    }
}
