internal import ArgumentParser

struct ConfigKeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "List what a configuration may say.",
        discussion: """
            Each key, the flag that says the same and wins over it, and what is expected of a value. A point divides a group from \
            what stands below it.

            Examples:
              shakectl config keys
              shakectl config keys --json    {"key":"scan.readers","flag":"--scan-readers","expects":…,"list":false}
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        let output = StandardOutput()
        if common.json {
            for key in ConfigurationKey.allCases { try output.line(Self.json(key).line) }
        } else {
            var table = TextTable([.init("KEY"), .init("FLAG"), .init("EXPECTS")])
            table.rows = ConfigurationKey.allCases.map {
                .cells([.init(Self.name($0)), .init($0.flag), .init($0.expects)])
            }
            try output.lines(table.lines(.plain))
        }
        try output.flush()
    }

    static func json(_ key: ConfigurationKey) -> JSON {
        [
            "key": .string(name(key)), "flag": .string(key.flag), "expects": .string(key.expects),
            "list": .bool(key.isList),
        ]
    }

    /// Each option of the target is a key of its own, which the target knows.
    private static func name(_ key: ConfigurationKey) -> String { key == .targetOptions ? "target.NAME" : key.path }
}
