internal import Dispatcher
internal import Journal
internal import StreamModel

/// Why a shard stands where it stands, and what happens next, in sentences. What the journal and the daemon say goes in; nothing is
/// asked, and nothing is guessed: each sentence is of a fact, or of a rule that decides by it.
struct Explanation: Sendable {
    let facts: ShardFacts
    /// What it holds of the shard.
    let standing: [String]
    /// How it came there.
    let story: [Turn]
    /// Turns that are not told.
    let untold: Int
    /// What happens next, or why nothing does.
    let outlook: [String]
    let commands: [Suggestions.Suggestion]

    /// One event, as it is told.
    struct Turn: Hashable, Sendable {
        let position: Position
        let time: Timestamp
        let sentence: String
        let colour: Palette.Colour?
    }

    init(_ facts: ShardFacts, _ suggestions: Suggestions = Suggestions()) {
        self.facts = facts
        standing = Standpoint(facts).sentences
        let told = Story(facts)
        (story, untold) = (told.turns, told.untold)
        let next = Outlook(facts, suggestions)
        (outlook, commands) = (next.sentences, next.suggestions.all)
    }

    // MARK: Output

    var json: JSON {
        [
            "table": .string(facts.shard.table.text),
            "stream": .string(facts.shard.stream.text),
            "shard": .string(facts.shard.shard.text),
            "status": .string(facts.checkpoint.status.rawValue),
            "stands": .array(standing.map { .string($0) }),
            "story": .array(
                story.map { turn in
                    [
                        "position": .unsigned(turn.position.number), "time": .string(turn.time.description),
                        "sentence": .string(turn.sentence),
                    ]
                }),
            "next": .array(outlook.map { .string($0) }),
            "commands": .array(
                commands.map { ["purpose": .string($0.purpose), "command": .string($0.command)] }),
        ]
    }

    /// - Parameter width: of the terminal, in columns.
    func lines(_ palette: Palette, width: Int) -> [String] {
        let status = palette.paint(facts.checkpoint.status.rawValue, facts.checkpoint.status.colour)
        var lines = ["\(facts.shard.table)/\(palette.paint(facts.shard.shard.text, .bold))  \(status)"]
        func section(_ title: String, _ text: [String]) {
            lines += ["", palette.paint(title, .bold)]
            for sentence in text {
                lines += TerminalText.folded(TerminalText.printable(sentence), to: max(20, width - 2)).map { "  " + $0 }
            }
        }
        section("Where it stands", standing)
        lines += ["", palette.paint("How it came there", .bold)]
        let positions = story.map(\.position.description.count).max() ?? 0
        for turn in story {
            let position = turn.position.description
            let start = "  \(Spoken.time(turn.time).prefix(19))  "
            let place = String(repeating: " ", count: positions - position.count) + position + "  "
            let indent = String(repeating: " ", count: start.count + place.count)
            let told = TerminalText.folded(TerminalText.printable(turn.sentence), to: max(20, width - indent.count))
            lines.append(start + palette.paint(place, .dim) + palette.paint(told.first ?? "", turn.colour))
            lines += told.dropFirst().map { indent + palette.paint($0, turn.colour) }
        }
        if untold > 0 {
            lines.append(
                palette.paint("  … and \(Spoken.count(UInt64(untold), "earlier event")): the history has them", .dim))
        }
        section("What happens next", outlook)
        lines += ["", palette.paint("What you can do", .bold)]
        for suggestion in commands {
            lines.append("  \(palette.paint(suggestion.command, .cyan))")
            lines.append("      \(palette.paint(suggestion.purpose, .dim))")
        }
        return lines
    }
}
