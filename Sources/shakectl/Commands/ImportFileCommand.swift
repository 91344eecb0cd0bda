internal import ArgumentParser
internal import Dispatcher
internal import Journal

struct ImportFileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file",
        abstract: "Make the journal of an export (what `shakectl import FILE` does).",
        discussion: """
            Reads what `shakectl export` has written, and makes the journal again (--journal): the same events byte by byte, and \
            what is kept beside them by folding them. The chain of hashes is checked line by line, and all is verified at the \
            end; only then the journal gets its name. The first line that does not hold is named (65), and nothing is left. A \
            journal that is there already is never written to (73).

            Examples:
              shakectl import journal.jsonl --journal new.journal
              zstd -dc journal.jsonl.zst | shakectl import - --journal new.journal
              shakectl import FILE --json     {"path":…,"bytes":…,"events":…,"folded":…,"shards":…,"last_position":…}
            """)

    @Argument(help: .init("The export, or - for standard input.", valueName: "file|-"))
    var file: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let context = try CommandContext(common)
        let path = context.configuration.journal
        let lines = try LineReader(file)
        try Copying.run(
            context, to: path, deed: "imported",
            advice: "The daemon goes on from it: it compares the journal with the target, shard by shard."
        ) {
            do {
                return try read(lines, into: path)
            } catch let problem as ExportLine.Problem {
                throw ShakectlError.badLine(file: lines.name, line: lines.count, problem: problem.text)
            } catch let error as JournalError {
                throw ShakectlError.journal(error)
            }
        }
    }

    private func read(_ lines: LineReader, into path: String) throws -> CopyReport {
        guard let first = try lines.next() else {
            throw ShakectlError.badLine(file: lines.name, line: 1, problem: "the file is empty")
        }
        let head = try ExportHead.read(first)
        var rebuild = try JournalRebuild(
            path, foldedTo: Position(head.foldedTo), historyFoldedTo: Position(head.historyFoldedTo),
            by: Copying.started("import"))
        do {
            while let line = try lines.next() {
                guard rebuild.position.number < head.lastPosition else {
                    throw ExportLine.Problem(
                        text: "it comes after position \(head.lastPosition), which is the last by the first line")
                }
                let entry = try ExportLine.add(line, to: &rebuild).entry
                if lines.count.isMultiple(of: 1024) {
                    StandardError.shared.progress(
                        "import: \(entry.last.number * 100 / max(1, head.lastPosition)) %, position "
                            + Spoken.count(entry.last.number))
                }
            }
            guard rebuild.position.number == head.lastPosition else {
                throw ExportLine.Problem(
                    text: "the file ends here, at position \(rebuild.position), and should go on to position "
                        + "\(head.lastPosition): it was cut off")
            }
        } catch {
            rebuild.discard()
            throw error
        }
        return try rebuild.finish(progress: Copying.progress(of: "import"))
    }
}
