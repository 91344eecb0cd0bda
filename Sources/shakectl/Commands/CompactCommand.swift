internal import ArgumentParser
internal import Dispatcher
internal import Journal

struct CompactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Fold old events together, so that the journal stops growing.",
        discussion: """
            A running daemon does so by itself, at its start and every hour. Folded are runs of sequence_advanced that \
            are older than 48 hours; the first of each shard in each hour stays. Of shards that are over, all that is \
            older than a week is folded, save rewinds, losses, refused records and what was done about them. \
            Works beside a daemon and without one, in short transactions: it may be interrupted at any time. The room \
            is used again; the file does not get shorter. --copy writes a copy without that room, verified, as `backup` \
            does: to use it, stop the daemon and put it in the journal's place.

            Examples:
              shakectl compact --dry-run
              shakectl compact --copy smaller.journal
              shakectl compact --json     {"folded":…,"freed_bytes":…,"position":…,"dry_run":false}
            """)

    @Flag(help: "Say what would be folded, and change nothing.")
    var dryRun = false

    @Option(help: .init("Write a copy without free room into a new folder, once all is folded.", valueName: "dir"))
    var copy: String?

    @OptionGroup var folding: FoldOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard copy == nil || !dryRun else { throw ValidationError("--copy writes, which --dry-run does not") }
    }

    func run() async throws {
        let context = try CommandContext(common, of: "compact") { settings throws(ShakectlError) in
            try folding.add(to: &settings)
        }
        let policy = try context.configuration.folding()
        let journal = try context.openJournal(
            dryRun
                ? .reader : .steward(RunStarted(role: "compact", version: Version.text, host: Host.name, pid: Host.pid))
        )
        let last = try asking(journal.lastPosition)
        let screen = StandardError.shared
        let progress = { (report: CompactReport) in
            let percent = last.number == 0 ? 100 : min(100, report.position.number * 100 / last.number)
            screen.progress(
                "compact: \(percent) %, position \(Spoken.count(report.position.number)), "
                    + "\(Spoken.count(report.folded)) folded")
        }
        defer { screen.progress(nil) }
        let report: CompactReport
        do throws(JournalError) {
            if dryRun {
                report = try journal.compactable(policy, progress: progress)
            } else {
                report = try await journal.compact(policy, progress: progress)
            }
        } catch {
            throw ShakectlError.journal(error)
        }
        await journal.close(reason: "compacted")
        let copied = try copy.map { (path) throws(ShakectlError) in
            try asking { () throws(JournalError) in
                try journal.copy(
                    to: path, with: Copying.files, by: Copying.started("compact"),
                    progress: Copying.progress(of: "compact"))
            }
        }
        screen.progress(nil)
        let view = CompactView(
            report: report, isDryRun: dryRun,
            copy: copied.map { report in
                CopyView(
                    deed: "copied to", path: copy ?? "", report: report,
                    advice: ["To use it: stop the daemon, and put it in the place of \(journal.path)."])
            })
        try context.show(json: [view.json], lines: view.lines(context.palette))
    }
}
