internal import ArgumentParser
internal import Journal

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make the journal of a backup.",
        discussion: """
            Writes what the backup in DIR holds into the journal's folder (--journal), and verifies it. Nothing is ever written \
            over: where there is a journal already, move it away first (73). A backup that is not whole is refused with the \
            first position that does not hold (65), and nothing is left.

            The next daemon compares it with the target, shard by shard, and goes on: a target that is ahead advances the \
            journal, one that is behind is caught up from the stream, as far as that still holds what is missing (24 h).

            Examples:
              mv shake.journal shake.journal.bad
              shakectl restore /backups/shake-2026-11-29 --journal shake.journal
              shakectl restore DIR --json     {"path":…,"bytes":…,"events":…,"folded":…,"shards":…,"last_position":…}
            """)

    @Argument(help: .init("The folder of the backup.", valueName: "dir"))
    var backup: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let context = try CommandContext(common)
        let path = context.configuration.journal
        try Copying.run(
            context, to: path, deed: "restored",
            advice:
                "Start the daemon with the same command as before: it compares the journal with the target, and goes on."
        ) {
            try asking { () throws(JournalError) in
                try Journal.restore(
                    backup, to: path, with: Copying.files, by: Copying.started("restore"),
                    progress: Copying.progress(of: "restore"))
            }
        }
    }
}
