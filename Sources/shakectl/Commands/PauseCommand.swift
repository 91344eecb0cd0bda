internal import ArgumentParser
internal import Journal

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stop reading a table or a shard until it is resumed.",
        discussion: """
            Works beside a running daemon, which finishes what is in flight and then asks for no more records of it, and \
            without one: the next daemon finds the table or shard paused. A paused table is not scanned either; its \
            shards are still listed, so that each is known. The children of a paused shard wait with it, as for any parent \
            that is not read to its end.

            A stream keeps its records for 24 hours, and no pause makes that longer. `status` says for how long it still \
            holds what waits, and is degraded once 12 of them have passed. What has left it by then is a loss \
            (`range_lost`), and --on-loss says how the table goes on.

            What is paused already stays as it was, and that is no error. A shard that is over can't be paused (64).

            Examples:
              shakectl pause orders --reason "the target is moved"
              shakectl pause orders/4f2a
            """)

    @Argument(
        help: .init("The table, or the shard: its id, a part of it, or TABLE/PART.", valueName: "table|shard"),
        completion: JournalNames.ofBoth)
    var name: String

    @Option(help: .init("Why, for the history.", valueName: "text"))
    var reason: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Pausing(request: PauseRequest(.pause, reason: reason ?? "", author: Host.userAndHost), common: common)
            .run(name)
    }
}
