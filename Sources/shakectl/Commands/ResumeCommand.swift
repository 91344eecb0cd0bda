internal import ArgumentParser
internal import Journal

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a paused table or shard go on from where it stands.",
        discussion: """
            Works beside a running daemon, which goes on at once, and without one. What was never paused stays as it is, and \
            that is no error. A shard that was paused by itself stays paused when its table is resumed, and the other way \
            round.

            Examples:
              shakectl resume orders
              shakectl resume orders/4f2a --reason "the target is moved"
            """)

    @Argument(
        help: .init("The table, or the shard: its id, a part of it, or TABLE/PART.", valueName: "table|shard"),
        completion: JournalNames.ofBoth)
    var name: String

    @Option(help: .init("Why, for the history.", valueName: "text"))
    var reason: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Pausing(
            request: PauseRequest(.resume, reason: reason ?? "", author: Host.userAndHost), common: common
        ).run(name)
    }
}
