internal import ArgumentParser
internal import Journal
internal import StreamModel

struct RewindCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewind",
        abstract: "Put a shard back, so that the records after a place are delivered again.",
        discussion: """
            Works beside a running daemon, which takes the shard up anew from there, and without one. Descendants \
            that have started are set back to their start with it, since replayed records must not overwrite newer \
            ones. A rewind is an event: it can be undone while its replay has not begun, and the command that does so \
            is printed.

            The place is one of: a sequence number (the next record is the first one after it, or with --inclusive \
            that one again); --to-start; --to-time, the checkpoint as it was then; --to-position, the checkpoint as \
            it was after that position of the journal.

            Refused: a shard that is unknown or named ambiguously, a place outside the shard or ahead of its \
            checkpoint (exit code 64), and what the stream has trimmed already, as the source is asked unless \
            --offline is given (69).

            Examples:
              shakectl rewind 4f2a 49000000000000000000012 --dry-run
              shakectl rewind 4f2a 49000000000000000000012 --reason "bad deploy at noon"
              shakectl rewind 4f2a --to-time 2h
              shakectl rewind orders/4f2a --to-start
            """)

    @Argument(help: "The shard: its id, a part of it, or TABLE/PART.", completion: JournalNames.ofShards)
    var shard: String

    @Argument(help: .init("The sequence number that becomes the checkpoint.", valueName: "seq"))
    var sequenceNumber: SequenceNumber?

    @Flag(help: "Deliver the record at <seq> again, too.")
    var inclusive = false

    @Flag(help: "To the shard's start.")
    var toStart = false

    @Option(
        parsing: .unconditional,
        help: .init("To where it was then: a time in UTC, or how long ago (2h).", valueName: "time"),
        transform: Moment.parse)
    var toTime: Moment?

    @Option(
        parsing: .unconditional,
        help: .init("To where it was after that position of the journal.", valueName: "position"))
    var toPosition: Position?

    @Flag(help: "Say what would be done, and change nothing.")
    var dryRun = false

    @Flag(help: "Don't ask the source whether the stream still holds the records.")
    var offline = false

    @Option(help: .init("Why, for the history.", valueName: "text"))
    var reason: String?

    @OptionGroup var common: CommonOptions
    @OptionGroup var source: SourceOptions

    func validate() throws {
        let places = [sequenceNumber != nil, toStart, toTime != nil, toPosition != nil].filter { $0 }.count
        guard places == 1 else {
            throw ValidationError(
                "say one place to rewind to: <seq>, --to-start, --to-time or --to-position")
        }
        guard !inclusive || sequenceNumber != nil else {
            throw ValidationError("--inclusive needs a <seq>: the record that is to be delivered again")
        }
    }

    func run() async throws {
        let context = try CommandContext(common) { settings throws(ShakectlError) in try source.add(to: &settings) }
        // A dry run writes nothing, so it asks for no more than to read.
        let journal = try context.openJournal(
            dryRun
                ? .reader : .steward(RunStarted(role: "rewind", version: Version.text, host: Host.name, pid: Host.pid)))
        let key = try asking { () throws(JournalError) in try journal.shard(matching: shard) }
        let rewinding = Rewinding(context: context, journal: journal, isOffline: offline, isDryRun: dryRun)
        let outcome = try await rewinding.run(key) { checkpoints throws(ShakectlError) in
            try plan(for: key, among: checkpoints, journal, now: context.now)
        }
        await journal.close(reason: "rewound \(key)")
        let view = RewindView(
            plan: outcome.plan, position: outcome.position,
            undo: outcome.position.map { _ in undo(key, among: outcome.checkpoints, to: outcome.before, context.place) })
        try context.show(json: [view.json], lines: view.lines(context.palette))
    }

    private func plan(for key: ShardKey, among checkpoints: [Checkpoint], _ journal: Journal, now: Timestamp)
        throws(ShakectlError) -> RewindPlan
    {
        let place: RewindRequest.Place
        if let sequenceNumber {
            place = .sequenceNumber(sequenceNumber)
        } else if toStart {
            place = .start
        } else {
            let instant = toPosition.map { Instant.position($0) } ?? toTime.map { Instant.moment($0) }
            let standing = try journal.standing(of: key, at: instant, now: now)
            guard let checkpoint = standing.checkpoint else {
                if let folded = standing.folded {
                    throw .usage(
                        "shard \(key): \(folded.spokenFold), the first of the shard among them; how it stood in between is "
                            + "not known any more: name a sequence number, or --to-start")
                }
                throw .usage(
                    "shard \(key): the journal did not know it then; --to-start goes back as far as there is to go")
            }
            // The checkpoint before is as safe: more is delivered again.
            if let folded = standing.folded {
                StandardError.shared.line("shakectl: \(folded.spokenFold): the place is the checkpoint before them")
            }
            place = .checkpoint(checkpoint)
        }
        let request = RewindRequest(
            place: place, inclusive: inclusive, reason: reason ?? "", author: Host.userAndHost)
        do { return try RewindPlan.make(request, of: key, among: checkpoints) } catch { throw .rewindRefused(error) }
    }

    /// The command that takes it back, as it can be pasted.
    private func undo(
        _ key: ShardKey, among checkpoints: [Checkpoint], to position: Position, _ place: [String]
    ) -> String {
        let isUnique = checkpoints.filter { $0.shard.shard == key.shard }.count == 1
        var words = ["shakectl", "rewind", isUnique ? key.shard.text : key.description] + place
        for (option, value) in [
            ("--source-endpoint", source.sourceEndpoint), ("--region", source.region), ("--profile", source.profile),
        ] {
            if let value { words += [option, value] }
        }
        if offline { words.append("--offline") }
        words += ["--to-position", position.description]
        return words.map(Shell.quoted).joined(separator: " ")
    }
}
