internal import ArgumentParser

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Make a configuration.",
        discussion: """
            Examples:
              shakectl config from-nimoshake conf/nimo-shake.conf --output shake.yaml
            """,
        subcommands: [ConfigFromNimoShakeCommand.self])

    func run() throws { throw CleanExit.helpRequest(self) }
}
