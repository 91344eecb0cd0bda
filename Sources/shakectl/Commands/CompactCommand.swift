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
            does, which is to take the journal's place. So it refuses while a daemon runs (75), and no daemon starts \
            until it is written: what one appended after it would be lost. What a command (`rewind`, `ack`, `pause`) appended \
            meanwhile would be, too: then there is no copy (75). Put it in its place before you start the daemon, or say any \
            such command.

            Examples:
              shakectl compact --dry-run
              shakectl compact --copy smaller.journal      (with the daemon stopped)
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
        let screen = StandardError.shared
        defer { screen.progress(nil) }
        let (report, copied): (CompactReport, CopyReport?)
        do throws(JournalError) {
            if let copy {
                (report, copied) = try await journal.withoutDaemon(by: Copying.started("compact")) {
                    () async throws(JournalError) in
                    let report = try await compact(journal, policy)
                    await journal.close(reason: "compacted")
                    let copied = try journal.copy(
                        to: copy, with: Copying.files, by: Copying.started("compact"), replaces: true,
                        progress: Copying.progress(of: "compact"))
                    return (report, copied)
                }
            } else {
                (report, copied) = (try await compact(journal, policy), nil)
                await journal.close(reason: "compacted")
            }
        } catch {
            throw ShakectlError.journal(error)
        }
        screen.progress(nil)
        let view = CompactView(
            report: report, isDryRun: dryRun,
            copy: copied.map { report in
                CopyView(
                    deed: "copied to", path: copy ?? "", report: report,
                    advice: [
                        "To use it: move \(journal.path) away, put this one in its place, and only then start the daemon."
                    ])
            })
        try context.show(json: [view.json], lines: view.lines(context.palette))
    }

    private func compact(_ journal: Journal, _ policy: FoldPolicy) async throws(JournalError) -> CompactReport {
        let last = try journal.lastPosition()
        let progress = { (report: CompactReport) in
            let percent = last.number == 0 ? 100 : min(100, report.position.number * 100 / last.number)
            StandardError.shared.progress(
                "compact: \(percent) %, position \(Spoken.count(report.position.number)), "
                    + "\(Spoken.count(report.folded)) folded")
        }
        return dryRun
            ? try journal.compactable(policy, progress: progress)
            : try await journal.compact(policy, progress: progress)
    }
}
