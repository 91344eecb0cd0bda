internal import ArgumentParser
internal import Journal

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the journal while the daemon runs.",
        discussion: """
            Writes the journal as it is at one moment into a new folder, with the dead letters, and verifies the copy. It \
            gets its name when it is whole and durable, so a backup that was killed leaves none that looks like one. \
            DIR must not exist yet, or be an empty folder (73). Appends go on meanwhile; what they replace is kept \
            until the copy is written, so the journal grows by that.

            The copy is a journal like any other: `shakectl verify --journal DIR` reads it. The folder `touched` of a \
            scan is left out: a journal that is restored to the middle of a scan begins that scan again.

            Examples:
              shakectl backup /backups/shake-$(date +%F)
              shakectl backup DIR --json     {"path":…,"bytes":…,"events":…,"folded":…,"shards":…,"last_position":…}
            """)

    @Argument(help: .init("The folder that is made.", valueName: "dir"))
    var folder: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let context = try CommandContext(common)
        let journal = try context.openJournal()
        try Copying.run(
            context, to: folder, deed: "backed up to",
            advice: "To go back to it: shakectl restore \(Shell.quoted(folder)) --journal NEW-FOLDER"
        ) {
            try asking { () throws(JournalError) in
                try journal.copy(
                    to: folder, with: Copying.files, by: Copying.started("backup"),
                    progress: Copying.progress(of: "backup"))
            }
        }
    }
}
