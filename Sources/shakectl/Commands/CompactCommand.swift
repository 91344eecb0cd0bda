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
            is used again; the file does not get shorter.

            Examples:
              shakectl compact --dry-run
              shakectl compact --json     {"folded":…,"freed_bytes":…,"position":…,"dry_run":false}
            """)

    @Flag(help: "Say what would be folded, and change nothing.")
    var dryRun = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let context = try CommandContext(common)
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
                report = try journal.compactable(progress: progress)
            } else {
                report = try await journal.compact(progress: progress)
            }
        } catch {
            throw ShakectlError.journal(error)
        }
        await journal.close(reason: "compacted")
        screen.progress(nil)
        let view = CompactView(report: report, isDryRun: dryRun)
        try context.show(json: [view.json], lines: view.lines(context.palette))
    }
}
