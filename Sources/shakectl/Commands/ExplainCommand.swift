internal import ArgumentParser

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Why a shard stands where it stands, and what happens next, in sentences.",
        discussion: """
            Told from the journal and from what the daemon says of itself: what the target holds of the shard, the events that brought it there \
            (with their positions in the journal), what it waits for, where its next start begins and by which rule, how long the stream still \
            holds what is to come; and the commands that an operator may want next.

            Examples:
              shakectl explain 4f2a
              shakectl explain orders/4f2a --json | jq -r '.next[]'
            """)

    @Argument(help: "The shard: its id, a part of it, or TABLE/PART.", completion: JournalNames.ofShards)
    var shard: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let context = try CommandContext(common)
        let facts = try ShardFacts.gather(shard, from: try context.openJournal(), now: context.now)
        let explanation = Explanation(
            facts, Suggestions(place: context.place, hasConfiguration: context.configuration.file != nil))
        try context.show(
            json: [explanation.json], lines: explanation.lines(context.palette, width: 100))
    }
}
