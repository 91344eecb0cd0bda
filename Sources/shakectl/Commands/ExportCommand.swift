internal import ArgumentParser
internal import Dispatcher
internal import Journal

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the whole journal as JSON Lines, for `import` and for other programs.",
        discussion: """
            The first line says what this is. Each line after that is an event as `tail --json` shows it, with the chain's \
            hash and the event's own bytes (docs/JOURNAL-FORMAT.md), from which `shakectl import` makes the same journal again: on a \
            machine of another kind, say, or after its file was damaged in what can be made anew. Where old events were \
            folded together one line has all of the stretch ("event":"folded", with "runs").

            Goes up to what is the newest event when it begins, and may run beside the daemon: no snapshot is held while \
            somebody reads slowly. Where the daemon folds just what comes next, it ends with exit code 75: begin again.

            Dead letters and the folder `touched` are not part of it.

            Examples:
              shakectl export | zstd > journal.jsonl.zst
              shakectl export | jq -c 'select(.event == "rewound")'
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        let context = try CommandContext(common)
        let journal = try context.openJournal()
        var export = try asking { () throws(JournalError) in try journal.export() }
        let screen = StandardError.shared
        defer { screen.progress(nil) }
        try context.output.line(ExportHead(export).json.line)
        while true {
            let entries = try asking { () throws(JournalError) in try export.next() }
            guard let reached = entries.last?.last else { break }
            for entry in entries { try context.output.line(ExportLine(entry).json.line) }
            screen.progress(
                "export: \(reached.number * 100 / max(1, export.last.number)) %, position \(Spoken.count(reached.number))"
            )
        }
        try context.output.flush()
    }
}
