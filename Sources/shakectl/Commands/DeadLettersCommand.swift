internal import ArgumentParser
internal import Dispatcher
internal import Journal
internal import StreamModel
internal import Targets

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Records that the target can't hold: list them, try them again, or settle them by hand.",
        discussion: """
            A record that is refused for what it is, and not for the target's trouble, is tried three times and then put \
            aside: its bytes and the cause go to dead-letters.jsonl in the journal's folder, the journal says \
            `record_refused`, and its shard goes on. --dead-letter-limit of `run` stops a table that has too many.

            Examples:
              shakectl dead-letters
              shakectl dead-letters show 4711 | jq .new_image
              shakectl dead-letters retry 4711
              shakectl dead-letters settle 4711 --reason "written by hand"
            """,
        subcommands: [List.self, Show.self, Retry.self, Settle.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Those that wait, oldest first.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            let context = try CommandContext(common)
            let view = DeadLettersView(letters: try asking(try context.openJournal().waitingLetters))
            try context.show(json: view.json, lines: view.lines(context.palette))
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One of them as it lies in the file: a line of JSON with its cause, keys and images.")

        @Argument(help: "Its number in the list.")
        var letter: Position

        @OptionGroup var common: CommonOptions

        func run() throws {
            let context = try CommandContext(common)
            let journal = try context.openJournal()
            let found = try DeadLetters.find([letter], in: try asking(journal.waitingLetters))[0]
            let file = DeadLetterFile("\(journal.path)/\(DeadLetterFile.name)")
            guard let line = file.line(at: found.refused.offset, count: found.refused.bytes), found.isKept(in: line)
            else {
                throw ShakectlError.usage(
                    "\(file.path) has no such line at byte \(found.refused.offset): it was moved, cut or edited. The record is still "
                        + "known as \(found.name)")
            }
            try context.output.line(String(decoding: line, as: UTF8.self))
            try context.output.flush()
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deliver them again: rewinds their shards to the record, so that newer changes stay the newest.",
            discussion: """
                What follows the record in its shard, and in the shard's descendants, is delivered again with it. What is \
                refused again is put aside again. An item of a full sync can't be read again alone.
                """)

        @Argument(help: "Their numbers in the list.")
        var letters: [Position] = []

        @Flag(help: "All that wait.")
        var all = false

        @Flag(help: "Don't ask the source whether the stream still holds the records.")
        var offline = false

        @OptionGroup var common: CommonOptions
        @OptionGroup var source: SourceOptions

        func validate() throws {
            guard letters.isEmpty == all else { throw ValidationError("name the letters to retry, or say --all") }
        }

        func run() async throws {
            let context = try CommandContext(common) { settings throws(ShakectlError) in try source.add(to: &settings) }
            let journal = try context.openJournal(
                .steward(
                    RunStarted(role: "dead-letters retry", version: Version.text, host: Host.name, pid: Host.pid)))
            let waiting = try asking(journal.waitingLetters)
            let chosen = all ? waiting : try DeadLetters.find(letters, in: waiting)
            if !all, let item = chosen.first(where: { $0.shard == nil }) {
                throw ShakectlError.usage(
                    "\(item.position) is an item of a full sync, which can't be read again alone: it comes again with its next "
                        + "change. `shakectl dead-letters show \(item.position)` gives its bytes, and settle takes it off the list"
                )
            }
            if !all { try DeadLetters.checkPlaces(of: chosen, in: journal) }
            let rewinding = Rewinding(context: context, journal: journal, isOffline: offline, isDryRun: false)
            var lines: [String] = []
            let shards = Dictionary(grouping: chosen.filter { $0.shard != nil }) { $0.shard }
            for (shard, letters) in shards.sorted(by: { $0.value[0].position < $1.value[0].position }) {
                guard let shard,
                    let checkpoint = try asking({ () throws(JournalError) in try journal.checkpoint(of: shard) })
                else { continue }
                let first: SequenceNumber
                switch letters.retrial(of: checkpoint) {
                case .rewind(let number): first = number
                case .comesAgain:
                    // What the rewind of a parent has set back, just now or before, comes again as it is.
                    lines.append("\(shard) was set back before its dead letters already: they come again.")
                    continue
                case .outOfReach:
                    lines.append("Left: what was put aside of \(shard) \(DeadLetters.outOfReach(checkpoint)).")
                    continue
                }
                let outcome = try await rewinding.run(shard) { checkpoints throws(ShakectlError) in
                    let request = RewindRequest(
                        place: .sequenceNumber(first), inclusive: true,
                        reason:
                            "dead letters \(letters.map(\.position.description).joined(separator: ", ")) are tried again",
                        author: Host.userAndHost)
                    do throws(RewindRefusal) {
                        return try RewindPlan.make(request, of: shard, among: checkpoints)
                    } catch {
                        throw .rewindRefused(error)
                    }
                }
                let view = RewindView(plan: outcome.plan, position: outcome.position, undo: nil)
                // At once: it has happened, whatever becomes of the next.
                try context.show(json: [view.json], lines: view.lines(context.palette))
            }
            await journal.close(reason: "dead letters are tried again")
            let items = chosen.count { $0.shard == nil }
            if items > 0 {
                lines.append(
                    "Left: \(Spoken.count(UInt64(items), "item")) of a full sync, which can't be read again alone.")
            }
            if chosen.isEmpty { lines.append("No dead letter waits.") }
            try context.show(json: [], lines: lines)
        }
    }

    struct Settle: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take them off the list, since they were dealt with by hand. The file keeps them.")

        @Argument(help: "Their numbers in the list.")
        var letters: [Position] = []

        @Flag(help: "All that wait.")
        var all = false

        @Option(help: .init("What was done, for the history.", valueName: "text"))
        var reason: String?

        @OptionGroup var common: CommonOptions

        func validate() throws {
            guard letters.isEmpty == all else { throw ValidationError("name the letters to settle, or say --all") }
        }

        func run() async throws {
            let context = try CommandContext(common)
            let journal = try context.openJournal(
                .steward(
                    RunStarted(role: "dead-letters settle", version: Version.text, host: Host.name, pid: Host.pid)))
            let chosen = try await besideDaemon {
                let waiting = try asking(journal.waitingLetters)
                let chosen = all ? waiting : try DeadLetters.find(letters, in: waiting)
                let drafts = chosen.settling(author: Host.userAndHost, reason: reason ?? "")
                if !drafts.isEmpty { _ = try await journal.append(drafts) }
                return chosen
            }
            await journal.close(reason: "settled \(Spoken.count(UInt64(chosen.count), "dead letter"))")
            try context.show(
                json: chosen.map(\.json),
                lines: chosen.isEmpty
                    ? ["No dead letter waits."]
                    : chosen.map { context.palette.paint("settled", .green) + "  \($0.position)  \($0.name)" })
        }
    }
}
