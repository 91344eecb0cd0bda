internal import ArgumentParser

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Go on from where another program has stopped.",
        discussion: """
            Takes the checkpoints of another program over into the journal, so that its tables are followed on without a full \
            sync. What was there stays as it is, and can be gone back to.

            Examples:
              shakectl import nimoshake ./nimo-shake-checkpoint --dry-run
            """,
        subcommands: [ImportNimoShakeCommand.self])

    func run() throws { throw CleanExit.helpRequest(self) }
}
