internal import ArgumentParser
internal import Glibc

/// The daemon and the operator's commands. It decides nothing about tables, shards or records: it gathers facts,
/// hands them to the modules that have the rules, and shows what they say.
@main
struct Shakectl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shakectl",
        abstract: "Keep a store in step with DynamoDB tables, and see why each shard stands where it stands.",
        discussion: """
            First steps (Ctrl-C stops the daemon; run it again and it goes on):
              shakectl doctor --table orders --target sqlite:replica.db whether all that it needs is there
              shakectl plan --table orders --target sqlite:replica.db   what run would do
              shakectl run --table orders --target sqlite:replica.db
              shakectl status                        how it goes
              shakectl shards                        the shards, as a tree
              shakectl explain SHARD                 why one stands where it stands, in sentences
              shakectl history SHARD                 what happened to it
              shakectl rewind SHARD SEQ --dry-run    what putting it back would do
              shakectl diff --table orders --target sqlite:replica.db   whether all is there

            Exit codes: 0 done, 1 a difference was found (diff), 64 usage, 65 damaged data, 69 source or target unavailable, 73 can't create, 74 I/O \
            error, 75 try again (journal busy), 77 not permitted, 78 configuration.
            """,
        version: "shakectl \(Version.text)",
        subcommands: [
            RunCommand.self, DoctorCommand.self, PlanCommand.self, StatusCommand.self, ShardsCommand.self,
            ExplainCommand.self, HistoryCommand.self, StateCommand.self,
            RewindCommand.self, PauseCommand.self, ResumeCommand.self, ResyncCommand.self, AckCommand.self,
            DeadLettersCommand.self, TailCommand.self, VerifyCommand.self,
            CompactCommand.self, BackupCommand.self, RestoreCommand.self, ExportCommand.self, DiffCommand.self,
            ImportCommand.self, ConfigCommand.self,
        ])

    /// Declared here too, so that `shakectl --journal DIR status` is the same as `shakectl status --journal DIR`.
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    static func main() async {
        StandardDescriptors.reserve()
        // A reader that has gone is an error of the write, which is answered there, and not a reason to be killed.
        _ = signal(SIGPIPE, SIG_IGN)
        Glibc.exit(await execute(Array(CommandLine.arguments.dropFirst())))
    }

    func run() throws { throw CleanExit.helpRequest(self) }

    /// Runs one command. The one place where errors become text and exit codes.
    static func execute(_ arguments: [String]) async -> Int32 {
        do {
            try checkCommand(arguments)
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch let error as ShakectlError {
            StandardError.shared.progress(nil)
            if error.exitCode != 0 {
                StandardError.shared.line("shakectl: \(ExposedPassword.hidden(arguments, in: "\(error)"))")
            }
            return error.exitCode
        } catch {
            return tell(error, arguments)
        }
    }

    /// What ArgumentParser has to say: help and version are what was asked for, all else is an error.
    private static func tell(_ error: any Error, _ arguments: [String]) -> Int32 {
        let code = exitCode(for: error).rawValue
        let text = fullMessage(for: error)
        guard code != 0 else {
            let output = StandardOutput()
            do {
                try output.line(text)
                try output.flush()
                return 0
            } catch {
                return error.exitCode
            }
        }
        let said = text.hasPrefix("Error: ") ? String(text.dropFirst(7)) : text
        StandardError.shared.line("shakectl: " + ExposedPassword.hidden(arguments, in: said))
        return code
    }

    /// ArgumentParser would call a misspelled command an unexpected argument.
    private static func checkCommand(_ arguments: [String]) throws(ShakectlError) {
        let names = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        // `help` takes a command, too.
        for name in arguments.prefix(arguments.first == "help" ? 2 : 1)
        where !name.hasPrefix("-") && !names.contains(name) {
            let nearest = NearestName.of(name, in: names) ?? "help"
            throw .usage("unknown command '\(name)': did you mean '\(nearest)'? `shakectl --help` lists them all")
        }
    }
}
