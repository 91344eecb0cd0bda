internal import Dispatcher
internal import Journal
internal import StreamModel

/// The turns of a shard's course, told.
struct Story {
    private(set) var turns: [Explanation.Turn] = []
    private(set) var untold = 0

    /// As many as one looks through at a glance.
    private static let longest = 10

    init(_ facts: ShardFacts) {
        var told: [(turn: Explanation.Turn, times: Int, code: String?)] = []
        for event in facts.turns {
            guard let sentence = Self.sentence(event, of: facts.checkpoint) else { continue }
            let turn = Explanation.Turn(
                position: event.position, time: event.time, sentence: sentence, colour: EventView(event).colour)
            // What failed again and again for one reason is told once, by its last time.
            let code: String? = if case .faulted(let fault) = event.payload { fault.code } else { nil }
            if let code, told.last?.code == code, let times = told.popLast()?.times {
                told.append((turn, times + 1, code))
            } else {
                told.append((turn, 1, code))
            }
        }
        untold = max(0, told.count - Self.longest)
        turns = told.dropFirst(untold).map { turn, times, _ in
            guard times > 1 else { return turn }
            return Explanation.Turn(
                position: turn.position, time: turn.time, sentence: "\(turn.sentence) (\(times) times in a row)",
                colour: turn.colour)
        }
        if let beginning = facts.beginning, let sentence = Self.sentence(beginning, of: facts.checkpoint) {
            let turn = Explanation.Turn(
                position: beginning.position, time: beginning.time, sentence: sentence, colour: EventView(beginning).colour)
            turns.insert(turn, at: 0)
        }
    }

    /// `nil` for what another event tells.
    private static func sentence(_ event: Event, of checkpoint: Checkpoint) -> String? {
        switch event.payload {
        case .shardDiscovered(let found):
            guard event.revision == Revision(1) else {
                return "the stream's listing said that it is closed"
                    + (found.range.ending.map { ", and ends at \($0)" } ?? "")
            }
            let from =
                switch found.start {
                case .latest: "from its newest record on"
                case .trimHorizon, .atSequenceNumber, .afterSequenceNumber: "from its start"
                }
            return "it was discovered" + (found.parent.map { ", a child of \($0)," } ?? "") + " and was to be read \(from)"
        case .iteratorResolved(let resolved): return Rule(resolved).sentence
        case .statusChanged(let change):
            // Told by where it began.
            if change.to == .inProcessing { return nil }
            return "it became \(change.to.rawValue)" + (change.reason.isEmpty ? "" : ": \(change.reason)")
        case .faulted(let fault):
            return "\(fault.code): \(fault.message)" + (fault.isRetried ? "; it is tried again" : "")
        case .rewound(let rewind):
            let to = rewind.to.map { "to \($0)" + (rewind.inclusive ? ", that record included" : "") } ?? "to its start"
            let who =
                rewind.cascadeRoot.map { "since its ancestor \($0) was, by \(rewind.author)" } ?? "by \(rewind.author)"
            return "it was set back from \(rewind.from?.text ?? "its start") \(to), \(who)"
                + (rewind.reason.isEmpty ? "" : ": \(rewind.reason)")
        case .historyFolded(let folded):
            return "\(Spoken.count(folded.count, "older event")) were folded together; after them it was \(folded.checkpoint.status.rawValue)"
                + (folded.checkpoint.sequenceNumber.map { " at \($0)" } ?? "")
        case .imported(let imported): return "its place was taken over: \(imported.words)"
        case .rangeLost, .lossAcknowledged, .recordRefused, .refusalSettled, .paused, .resumed, .unknown:
            return "\(event.payload.kind.replacing("_", with: " ")): \(EventView(event).words)"
        case .queried, .sequenceAdvanced, .advancesFolded, .inStep, .runStarted, .runStopped, .phaseChanged,
            .scanAdvanced, .scanFinished, .rowsSwept, .repaired, .tableRemoved:
            return nil
        }
    }
}

/// Why reading began where it did: the row of the start table (DESIGN 4.1) that fired, in words.
struct Rule {
    let name: String
    let place: String

    init(_ resolved: IteratorResolved) {
        name = resolved.rule
        place = Self.place(resolved.iteratorType, resolved.sequenceNumber)
    }

    init(_ start: Start, _ rule: StartTable.Rule) {
        name = rule.rawValue
        place = Self.place(start.iteratorType, start.sequenceNumber)
    }

    var sentence: String { "reading began \(place), \(reason)" }

    private static func place(_ type: IteratorType, _ number: SequenceNumber?) -> String {
        switch (type, number) {
        case (.afterSequenceNumber, let number?): "after \(number)"
        case (.atSequenceNumber, let number?): "at \(number)"
        case (.latest, _): "at the newest record"
        case (_, _): "at the oldest record that the stream still had"
        }
    }

    var reason: String {
        let why =
            switch StartTable.Rule(rawValue: name) {
            case .handedOver: "as of then by an iterator that was at hand"
            case .unanchoredLatest: "as was asked for of a shard that nothing was known of"
            case .latestLost: "as nothing said where it had been"
            case .seeSequenceNumber: "since it was set to that record"
            case .storedIterator: "as of when it was entered, by the iterator that was kept of that"
            case .sinceAnchor: "with what is older than its anchor dropped: no record had come, and its iterator had expired"
            case .inStepHorizon:
                "with what the target has dropped: its last record had left the stream, and it had been in step since"
            case .trimHorizon: "which is its start, as far as the stream goes back"
            case .afterSequenceNumber: "behind the last record that is known to be in the target"
            case nil: "by a rule of a newer version"
            }
        return "\(why) (rule \(name))"
    }
}
