import ArgumentParser
import Dispatcher
import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("The command line")
struct CommandLineTests {
    private func parse<Command: ParsableCommand>(_ words: String, as type: Command.Type = Command.self) throws
        -> Command
    {
        let command = try Shakectl.parseAsRoot(words.split(separator: " ").map(String.init))
        return try #require(command as? Command)
    }

    /// The exit code and the message with which `words` are refused.
    private func refusal(_ words: String) -> (code: Int32, message: String)? {
        do {
            var command = try Shakectl.parseAsRoot(words.split(separator: " ").map(String.init))
            // Help is a command of ArgumentParser's own, and what it shows is thrown.
            if "\(type(of: command))" == "HelpCommand" { try command.run() }
            return nil
        } catch {
            return (Shakectl.exitCode(for: error).rawValue, Shakectl.fullMessage(for: error))
        }
    }

    @Test("run takes what DESIGN 6 names")
    func run() throws {
        let run: RunCommand = try parse(
            """
            run --config c.yaml --table a --table b c --target sqlite:x --source-endpoint http://l:1 --region r \
            --mode incr --start-at latest --until-idle 5 --journal j --json
            """)
        var settings = Settings()
        try run.options.add(to: &settings)
        try run.common.add(to: &settings)
        #expect(
            settings
                == Settings(
                    journal: "j", region: "r", endpoint: "http://l:1",
                    tables: ["a", "b", "c"].map { TableName($0) }, target: "sqlite:x", mode: .incr, startAt: .latest,
                    untilIdle: .seconds(5)))
        #expect(run.common.config == "c.yaml")
        #expect(run.common.json)
    }

    @Test(
        "A flag's bad value names the flag and what it expects",
        arguments: [
            ("run --mode both", "--mode expects all, full or incr, found 'both'"),
            (
                "run --until-idle soon",
                "--until-idle expects a number of seconds or a duration, such as 5, 30s or 5m, found 'soon'"
            ),
            (
                "run --until-idle -1",
                "--until-idle expects a number of seconds or a duration, such as 5, 30s or 5m, found '-1'"
            ),
            ("run --dead-letter-limit -1", "--dead-letter-limit expects a whole number from 0 to 1000, found '-1'"),
            (
                "run --source-endpoint ftp://u:hunter2@h",
                "--source-endpoint expects a URL, such as http://localhost:8000, found another text"
            ),
            (
                "run --http 9464",
                "--http expects an address and a port, such as 127.0.0.1:9464 or [::1]:9464, found '9464'"
            ),
            ("run --start-at now", "--start-at expects trim-horizon or latest, found 'now'"),
            (
                "run --table a,b",
                "--table expects a table's name (letters, digits, '_', '-' and '.'); repeat it for more, found 'a,b'"
            ),
            (
                "run --source-endpoint localhost:8000",
                "--source-endpoint expects a URL, such as http://localhost:8000, found 'localhost:8000'"
            ),
        ])
    func badValues(words: String, message: String) throws {
        let run: RunCommand = try parse(words)
        var settings = Settings()
        #expect { try run.options.add(to: &settings) } throws: {
            ($0 as? ShakectlError)?.exitCode == 64 && "\($0)" == message
        }
    }

    @Test("Every key of the configuration has a flag", arguments: ConfigurationKey.allCases)
    func flags(key: ConfigurationKey) throws {
        let _: RunCommand = try parse("run \(key.flag)\(key.isSwitch ? "" : " x")")
        #expect(RunCommand.helpMessage(columns: 200).contains("\(key.flag)\(key.isSwitch ? "/" : " ")"))
    }

    @Test("A switch says yes, no or nothing, and what it says wins over the file")
    func enableStreams() throws {
        func said(_ words: String) throws -> Bool? {
            let run: RunCommand = try parse(words)
            var settings = Settings()
            try run.options.add(to: &settings)
            return settings.enableStreams
        }
        #expect(try said("run --enable-streams") == true)
        #expect(try said("run --no-enable-streams") == false)
        #expect(try said("run") == nil)
    }

    @Test("The common options may stand before or after the command")
    func common() throws {
        let after: StatusCommand = try parse("status --journal j --json --config c")
        let before: StatusCommand = try parse("--journal j --json --config c status")
        for options in [after.common, before.common] {
            #expect(options.journal == "j")
            #expect(options.config == "c")
            #expect(options.json)
        }
    }

    @Test(
        "status is watched every two seconds, or as often as is said",
        arguments: [
            ("status", nil), ("status --watch", "2"), ("status --watch 10", "10"), ("status --watch=500ms", "500ms"),
            ("status --watch --journal j", "2"), ("status --watch 5 --json", "5"),
        ] as [(String, String?)])
    func watch(words: String, interval: String?) throws {
        let status: StatusCommand = try parse(words)
        #expect(status.watch == interval)
        #expect(status.common.journal == (words.contains("--journal") ? "j" : nil))
    }

    @Test("history takes a shard, bounds and kinds")
    func history() throws {
        let history: HistoryCommand = try parse(
            "history 4f2a --limit 5 --since 2h --until 2026-11-23T16:00 --event rewound --event faulted --reverse")
        #expect(history.shard == "4f2a")
        #expect(history.limit == 5)
        #expect(history.since == .ago(.seconds(7200)))
        #expect(history.until == .at(Sample.time("2026-11-23T16:00:00Z")))
        #expect(history.event == ["rewound", "faulted"])
        #expect(history.reverse)
    }

    @Test("rewind takes each way to name a place")
    func rewind() throws {
        let number: RewindCommand = try parse("rewind 4f2a 0042 --inclusive --dry-run --offline --reason why")
        #expect(number.sequenceNumber == Sample.number("42"))
        #expect(number.inclusive && number.dryRun && number.offline)
        #expect(number.reason == "why")
        let start: RewindCommand = try parse("rewind 4f2a --to-start")
        #expect(start.toStart)
        let time: RewindCommand = try parse("rewind 4f2a --to-time 2h")
        #expect(time.toTime == .ago(.seconds(7200)))
        let position: RewindCommand = try parse("rewind 4f2a --to-position 12 --region r --source-endpoint http://l:1")
        #expect(position.toPosition == Position(12))
    }

    @Test(
        "A wrong use is exit code 64, with what to do",
        arguments: [
            ("history", "<shard>"), ("history a --limit 0", "--limit"), ("history a --limit x", "--limit"),
            ("history a --event sequence_advance", "did you mean 'sequence_advanced'?"), ("state", "<shard>"),
            ("history a --limit -3", "--limit expects a number of events, 1 or more"),
            ("history a --since soon", "it expects a time in UTC such as"),
            ("history a --since -2h", "it expects a time in UTC such as"),
            ("history a --until -1", "it expects a time in UTC such as"),
            ("state a --at -1", "it expects a position of the journal such as 812, or a time in UTC such as"),
            ("rewind a --to-time -2h", "it expects a time in UTC such as"),
            ("rewind a --to-position -1", "'-1' is invalid for '--to-position"),
            ("state a --at yesterday", "it expects a position of the journal such as 812, or a time in UTC such as"),
            ("rewind a --to-time soon", "it expects a time in UTC such as"),
            ("tail --limit -1", "--limit expects a number of events"), ("rewind a", "one place"),
            ("rewind a 5 --to-start", "one place"),
            ("rewind a --to-start --inclusive", "--inclusive needs"), ("rewind a 5x", "<seq>"),
            ("status extra", "extra"), ("status --http localhost:1", "--http"),
            ("status --watch 0", "--watch expects a number of seconds or a duration from"),
            ("status --watch soon", "--watch expects"), ("status --check --watch", "--check"),
            ("doctor extra", "extra"), ("tail --limit 0", "--limit"),
            ("verify --follow", "--follow"), ("status --journal", "--journal"),
        ])
    func wrongUse(words: String, hint: String) throws {
        let refusal = try #require(self.refusal(words))
        #expect(refusal.code == 64)
        #expect(refusal.message.contains(hint), "\(refusal.message)")
    }

    @Test(
        "--help and --version are no errors, anywhere",
        arguments: ["", "run", "status", "shards", "history", "state", "rewind", "tail", "verify", "compact"])
    func helpAndVersion(command: String) throws {
        let version = try #require(refusal("\(command) --version"))
        #expect(version.code == 0)
        #expect(version.message == "shakectl 0.1.0")
        let help = try #require(refusal("\(command) --help"))
        #expect(help.code == 0)
        #expect(help.message.contains("USAGE: shakectl"))
    }

    @Test(
        "Every command's help teaches by example",
        arguments: Shakectl.configuration.subcommands.map { $0.configuration.commandName ?? "" })
    func examples(command: String) throws {
        let help = try #require(refusal("\(command) --help")).message
        #expect(help.contains("shakectl \(command)"))
        // What has commands of its own takes its options with them.
        let own = Shakectl.configuration.subcommands.first { $0.configuration.commandName == command }
        let names = own?.configuration.subcommands.map { $0._commandName } ?? []
        for name in names.isEmpty ? [command] : names.map({ "\(command) \($0)" }) {
            let help = try #require(refusal("\(name) --help")).message
            #expect(help.contains("--journal"))
            #expect(help.contains("--json"))
        }
    }
}
