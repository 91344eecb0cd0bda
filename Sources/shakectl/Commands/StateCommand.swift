internal import ArgumentParser
internal import Journal
internal import StreamModel

struct StateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state",
        abstract: "Where a shard stands, now or as it was.",
        discussion: """
            Examples:
              shakectl state 4f2a
              shakectl state 4f2a --at 812                  after the event at position 812
              shakectl state 4f2a --at 2026-11-23T16:30     at that time (UTC)
              shakectl state 4f2a --at 15m                  a quarter of an hour ago

            Where old events were folded together (see `shakectl compact`), the answer is the checkpoint before \
            them, and says so.
            """)

    @Argument(help: "The shard: its id, a part of it, or TABLE/PART.", completion: JournalNames.ofShards)
    var shard: String

    @Option(
        parsing: .unconditional,
        help: .init("As it was after that position of the journal, or at that time.", valueName: "position|time"),
        transform: Instant.parse)
    var at: Instant?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let context = try CommandContext(common)
        let journal = try context.openJournal()
        let key = try asking { () throws(JournalError) in try journal.shard(matching: shard) }
        let standing = try journal.standing(of: key, at: at, now: context.now)
        guard let checkpoint = standing.checkpoint else {
            if let folded = standing.folded {
                throw ShakectlError.usage(
                    "shard \(key): \(folded.spokenFold), the first of the shard among them; how it stood in between is not "
                        + "known any more: --at \(folded.position) is the end of them")
            }
            throw ShakectlError.usage(
                "shard \(key): the journal did not know it then; `shakectl history \(key) --limit 1` shows since when"
            )
        }
        let view = StateView(checkpoint: checkpoint, folded: standing.folded)
        try context.show(json: [view.json], lines: view.lines(context.palette))
    }
}

extension Journal {
    /// How the shard stood at `instant`, or stands now; without a checkpoint before it was discovered.
    ///
    /// - Throws: `.usage` for a position that isn't there yet, `.journal`.
    func standing(of shard: ShardKey, at instant: Instant?, now: Timestamp) throws(ShakectlError) -> Standing {
        switch instant {
        case nil: return Standing(checkpoint: try asking { () throws(JournalError) in try checkpoint(of: shard) })
        case .moment(let moment):
            let time = moment.timestamp(now: now)
            return try asking { () throws(JournalError) in try standing(of: shard, at: time) }
        case .position(let position):
            let last = try asking(lastPosition)
            guard position <= last else {
                throw .usage("position \(position) is not in the journal yet: its last event is at \(last)")
            }
            return try asking { () throws(JournalError) in try standing(of: shard, at: position) }
        }
    }
}
