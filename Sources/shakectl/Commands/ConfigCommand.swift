internal import ArgumentParser

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Make a configuration, or see what one may say.",
        discussion: """
            Examples:
              shakectl config keys
              shakectl config from-nimoshake conf/nimo-shake.conf --output shake.yaml
            """,
        subcommands: [ConfigKeysCommand.self, ConfigFromNimoShakeCommand.self])

    func run() throws { throw CleanExit.helpRequest(self) }
}
