internal import ArgumentParser

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a journal of an export, or go on from where another program has stopped.",
        discussion: """
            `import FILE` makes the journal anew that `shakectl export` has written (see `shakectl help import file`); `import \
            nimoshake` takes the checkpoints of NimoShake over, so that its tables are followed on without a full sync. What \
            was there stays as it is, and can be gone back to.

            Examples:
              shakectl import journal.jsonl --journal new.journal
              zstd -dc journal.jsonl.zst | shakectl import - --journal new.journal
              shakectl import nimoshake ./nimo-shake-checkpoint --dry-run
            """,
        subcommands: [ImportFileCommand.self, ImportNimoShakeCommand.self], defaultSubcommand: ImportFileCommand.self)
}
