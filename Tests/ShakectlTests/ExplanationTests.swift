import Dispatcher
import Journal
import StreamModel
import Testing

@testable import shakectl

/// Each case is a standpoint that an operator may find a shard in.
@Suite("Why a shard stands where it stands")
struct ExplanationTests {
    private static func facts(
        _ checkpoint: Checkpoint, _ others: [Checkpoint] = [], ofOtherStreams: [Checkpoint] = [],
        table: TableState? = nil, scans: Bool = true, daemon: DaemonPresence = Sample.running, turns: [Event] = [], beginning: Event? = nil
    ) -> ShardFacts {
        ShardFacts(
            checkpoint: checkpoint,
            lineage: Dictionary(uniqueKeysWithValues: ([checkpoint] + others).map { ($0.shard.shard, $0) }),
            others: ofOtherStreams, table: table, scans: scans, daemon: daemon, beginning: beginning, turns: turns, now: Sample.now)
    }

    private static func signs(_ shards: [VitalSigns.Shard]) -> DaemonPresence {
        .running(
            "pid 7 on alpha",
            VitalSigns(
                written: Sample.now, worker: "alpha/7",
                tables: [VitalSigns.Table(name: "orders", listed: Sample.now, shards: shards)]))
    }

    private func next(_ facts: ShardFacts) -> String { Explanation(facts).outlook.joined(separator: " ") }
    private func commands(_ facts: ShardFacts) -> [String] { Explanation(facts).commands.map(\.command) }

    // MARK: Where it stands

    @Test("says what is in the target, and how new it is")
    func standing() {
        let shard = Sample.shard("a", at: "42", made: Sample.time("2026-11-23T16:29:00Z"), records: 1204)
        #expect(
            Explanation(Self.facts(shard)).standing == [
                "All up to and including 42 is durable in the target: 1,204 records (0 B), the newest made at 2026-11-23 16:29:00 UTC."
            ])
    }

    @Test("says that nothing was brought of a new shard, and that an end is one")
    func ends() {
        #expect(Explanation(Self.facts(Sample.shard("a", .notProcessed))).standing.first?.contains("Nothing") == true)
        #expect(Explanation(Self.facts(Sample.shard("a", .done, at: "9"))).standing.first?.contains("read to its end") == true)
        #expect(Explanation(Self.facts(Sample.shard("a", .lost))).standing.first?.contains("left the stream") == true)
        #expect(Explanation(Self.facts(Sample.shard("a", .notNeeded))).standing.first?.contains("older") == true)
    }

    @Test("What was imported is another program's word, and is not said to have been brought")
    func imported() {
        func standing(_ status: Status, _ number: String?, _ type: IteratorType = .afterSequenceNumber) -> String {
            var shard = Sample.shard("a", status, at: number)
            shard.iteratorType = type
            shard.importedSince = Sample.time("2026-11-23T10:00:00Z")
            let event = Self.event(
                2,
                .imported(
                    Imported(
                        status: status, iteratorType: type, sequenceNumber: shard.sequenceNumber, approximateTime: nil,
                        owedSince: shard.importedSince, reason: "",
                        origin: Imported.Origin(program: "NimoShake", source: "db", status: "s"))))
            return Explanation(Self.facts(shard, turns: [event])).standing.joined(separator: " ")
        }
        let place = standing(.prepared, "42")
        #expect(place.contains("taken over from NimoShake: by its word all up to and including 42 is in the target"))
        #expect(place.contains("what was made after 2026-11-23 10:00:00 UTC is owed"))
        #expect(standing(.prepared, "42", .atSequenceNumber).contains("the record 42 is the next to be brought"))
        #expect(standing(.prepared, nil, .trimHorizon).contains("is to be read from its start"))
        let done = standing(.done, "42")
        #expect(done.contains("By the word of NimoShake") && !done.contains("owed"))
        #expect(standing(.notNeeded, nil, .trimHorizon).contains("by the word of NimoShake there was nothing left to bring"))
        let left = "It left the stream before it was read to its end"
        let lost = standing(.lost, "42")
        #expect(lost.contains("\(left): by the word of NimoShake, which it was taken over from, all up to and including 42 is in the"))
        #expect(standing(.lost, "42", .atSequenceNumber).contains("\(left): by the word of NimoShake, which it was taken over from, all before the record 42"))
        #expect(standing(.lost, nil, .trimHorizon).contains("\(left). It was taken over from NimoShake"))
        for text in [place, done, lost] { #expect(!text.contains("0 records"), "\(text)") }
    }

    // MARK: What happens next

    @Test("A shard that waits names its parent, and the one that all of them wait for")
    func waits() {
        let shard = Sample.shard("c", parent: "b", .waitingForParent)
        let facts = Self.facts(
            shard,
            [
                Sample.shard("b", parent: "a", .waitingForParent),
                Sample.shard("a", at: "42", made: Sample.time("2026-11-23T16:20:00Z")),
            ])
        #expect(next(facts).contains("waits for its parent b (waiting_for_parent)"))
        #expect(next(facts).contains("a (in_processing) is what all wait for"))
        #expect(next(facts).contains("a is 10 min behind"))
        #expect(commands(facts).contains("shakectl explain orders/a"))
    }

    @Test("A parent that the journal never saw, or that is over, holds nobody up")
    func orphan() {
        #expect(next(Self.facts(Sample.shard("c", parent: "b", .notProcessed), daemon: Self.signs([]))).contains("taken up next"))
        let facts = Self.facts(Sample.shard("c", parent: "b", .notProcessed), [Sample.shard("b", .done)])
        #expect(!next(facts).contains("waits for its parent"))
    }

    @Test("A shard that was set back says which descendant is still in somebody's hands")
    func descendant() {
        let facts = Self.facts(
            Sample.shard("a", at: "1"), [Sample.shard("b", parent: "a", .waitingForParent)],
            daemon: Self.signs([VitalSigns.Shard(id: "b", taken: Sample.now)]))
        #expect(next(facts).contains("It waits until b is put down"))
    }

    @Test("What an operator has paused says who, why, for how long it may be, and how it goes on")
    func paused() {
        var shard = Sample.shard("a", at: "1", made: Sample.time("2026-11-23T16:00:00Z"))
        shard.pause = Pause(author: "me@here", reason: "maintenance", time: Sample.time("2026-11-23T16:10:00Z"), position: Position(9))
        let facts = Self.facts(shard)
        #expect(next(facts).contains("paused by me@here since 2026-11-23 16:10:00: maintenance"))
        #expect(next(facts).contains("22 h 30 min"))
        #expect(commands(facts).contains("shakectl resume orders/a"))
    }

    @Test("A loss that stops the table is said before all else, with the two ways on")
    func stopped() {
        var other = Sample.shard("b", at: "5")
        other.loss = Loss(
            RangeLost(cause: .trimmed, from: Sample.number("5"), to: nil, since: nil, policy: .stop, detail: "gone"),
            time: Sample.now, position: Position(9))
        let facts = Self.facts(Sample.shard("a", at: "1"), [other])
        #expect(next(facts).contains("stands still, and waits for an operator: shard b lost: what came after 5"))
        #expect(commands(facts).prefix(2) == ["shakectl ack orders --resync", "shakectl ack orders --skip"])
    }

    @Test("What is advised within a sentence is of the journal that was asked about, as the commands are")
    func adviceOfJournal() {
        var shard = Sample.shard("a", at: "5")
        shard.loss = Self.loss
        let explanation = Explanation(
            Self.facts(shard, daemon: Self.signs([])), Suggestions(place: ["--journal", "/a b", "--config", "c.yaml"]))
        #expect(explanation.commands.first?.command == "shakectl ack orders --resync --journal '/a b' --config c.yaml")
        #expect(
            explanation.outlook.joined().contains("`shakectl ack orders --resync --journal '/a b' --config c.yaml` scans it again"))
    }

    @Test("A daemon that never scans is not asked to")
    func stoppedUnscanned() {
        var shard = Sample.shard("a", at: "5")
        shard.loss = Self.loss
        #expect(commands(Self.facts(shard, scans: false)).first == "shakectl ack orders --skip")
    }

    private static let loss = Loss(
        RangeLost(cause: .trimmed, from: Sample.number("5"), to: nil, since: nil, policy: .stop, detail: "gone"),
        time: Sample.now, position: Position(9))

    @Test("A shard of an older stream that stops its table stops those of the newer one")
    func stoppedByOlder() {
        var older = Sample.shard("old", at: "5", stream: Self.older)
        older.loss = Self.loss
        let facts = Self.facts(Sample.shard("a", at: "1"), ofOtherStreams: [older])
        #expect(next(facts).contains("Its table stands still, and waits for an operator: shard old lost"))
        #expect(next(facts).contains("of the stream \(Self.older)"))
        #expect(commands(facts).first == "shakectl ack orders --resync")
    }

    @Test("A shard of an older stream is not read again, and not offered to be")
    func olderStream() {
        var table = TableState(table: Sample.key("a").table)
        table.stream = Sample.key("a").stream
        let facts = Self.facts(Sample.shard("old", at: "5", records: 7, stream: Self.older), table: table)
        #expect(next(facts).contains("It is of an older stream: its table goes on with \(Sample.key("a").stream)"))
        #expect(!commands(facts).contains { $0.contains("rewind") })
    }

    private static let older = StreamARN("arn:aws:dynamodb:eu-west-1:1:table/orders/stream/2020-01-01T00:00:00.000")

    @Test("Each command says which journal it is about, in a shell's words")
    func place() {
        var paused = Sample.shard("a", at: "1", records: 3)
        paused.pause = Pause(author: "me", reason: "x", time: Sample.now, position: Position(9))
        let explanation = Explanation(Self.facts(paused), Suggestions(place: ["--journal", "/my journals/a"]))
        #expect(explanation.commands.count == 3)
        #expect(explanation.commands.allSatisfy { $0.command.hasSuffix(" --journal '/my journals/a'") })
    }

    @Test("Without a daemon it says where the next start begins, by which rule, and until when the stream holds it")
    func withoutDaemon() {
        let facts = Self.facts(
            Sample.shard("a", at: "42", made: Sample.time("2026-11-23T10:30:00Z")), daemon: .notRunning("none has run yet"))
        #expect(next(facts).contains("Nobody reads it now."))
        #expect(next(facts).contains("begins after 42, behind the last record that is known to be in the target (rule after_sequence_number)"))
        #expect(next(facts).contains("another 17 h"))
        #expect(next(facts).contains("No daemon is running; none has run yet."))
        #expect(next(facts).contains("It wants the options that the last one had"))
        #expect(!commands(facts).contains { $0.hasPrefix("shakectl run") }, "nobody knows which")
        let configured = Explanation(facts, Suggestions(place: ["--config", "my shake.yaml"], hasConfiguration: true))
        #expect(configured.commands.map(\.command).contains("shakectl run --config 'my shake.yaml'"))
        let late = Self.facts(
            Sample.shard("a", at: "42", made: Sample.time("2026-11-22T10:30:00Z")), daemon: .notRunning("none"))
        #expect(next(late).contains("may have left the stream"))
    }

    @Test("A shard that is read says how old the newest page is, and what ails it")
    func read() {
        let shard = Sample.shard("a", at: "42", made: Sample.time("2026-11-23T16:29:00Z"))
        var sign = VitalSigns.Shard(
            id: "a", taken: Sample.time("2026-11-23T16:00:00Z"), page: Sample.time("2026-11-23T16:29:58Z"), isInStep: true)
        #expect(next(Self.facts(shard, daemon: Self.signs([sign]))).contains("in step: the newest page came 2 s ago"))
        sign.isInStep = false
        #expect(next(Self.facts(shard, daemon: Self.signs([sign]))).contains("the target is 1 min behind"))
        sign.trouble = VitalSigns.Trouble(since: Sample.time("2026-11-23T16:20:00Z"), tries: 1, cause: "throttled")
        #expect(next(Self.facts(shard, daemon: Self.signs([sign]))).contains("fails since 2026-11-23 16:20:00 UTC, 1 try: throttled."))
        sign.trouble?.tries = 3
        #expect(next(Self.facts(shard, daemon: Self.signs([sign]))).contains("3 tries"))
    }

    @Test("Of a daemon that has said nothing lately, or follows other tables, nothing is said that it said before")
    func unheard() {
        let shard = Sample.shard("a", at: "42", made: Sample.time("2026-11-23T16:29:00Z"))
        let sign = VitalSigns.Shard(
            id: "a", taken: Sample.time("2026-11-23T15:00:00Z"), page: Sample.time("2026-11-23T15:29:58Z"), isInStep: true)
        let old = DaemonPresence.running(
            "pid 7 on alpha",
            VitalSigns(
                written: Sample.time("2026-11-23T15:30:00Z"), worker: "alpha/7",
                tables: [VitalSigns.Table(name: "orders", shards: [sign])]))
        #expect(next(Self.facts(shard, daemon: old)).contains("has not said lately"))
        #expect(!next(Self.facts(shard, daemon: old)).contains("in step"))
        let other = DaemonPresence.running(
            "pid 7 on alpha",
            VitalSigns(written: Sample.now, worker: "alpha/7", tables: [VitalSigns.Table(name: "users")]))
        #expect(next(Self.facts(shard, daemon: other)).contains("does not follow its table"))
        #expect(next(Self.facts(shard)).contains("has not said lately"), "it has just begun")
    }

    @Test("A shard that was set to its start has brought what it has brought")
    func setToStart() {
        let shard = Sample.shard("a", .prepared, records: 261)
        #expect(Explanation(Self.facts(shard)).standing.first?.contains("to be brought again. Brought so far: 261") == true)
    }

    @Test("LATEST without a place needs a full sync, and is said to")
    func lostLatest() {
        var shard = Sample.shard("a", .prepared)
        shard.iteratorType = .latest
        #expect(next(Self.facts(shard, daemon: .notRunning("none"))).contains("needs a full sync"))
    }

    @Test("A shard that is over points to its children")
    func children() {
        let facts = Self.facts(
            Sample.shard("a", .done), [Sample.shard("b", parent: "a"), Sample.shard("c", parent: "a", .done)])
        #expect(next(facts).contains("children b (in_processing), c (done)"))
        #expect(commands(facts).contains("shakectl explain orders/b"))
    }

    // MARK: How it came there

    private static func event(_ position: UInt64, _ payload: Payload, revision: UInt64 = 3) -> Event {
        Event(
            position: Position(position), time: Sample.now, run: RunID(Position(1)), subject: .shard(Sample.key("a")),
            revision: Revision(revision), payload: payload)
    }

    @Test("The story tells who set it back, by which rule it began, and a fault that came again once")
    func story() {
        let fault = Payload.faulted(Faulted(code: "Throttled", message: "slow down", isRetried: true))
        let story = Explanation(
            Self.facts(
                Sample.shard("a", at: "42"),
                turns: [
                    Self.event(
                        2,
                        .shardDiscovered(
                            ShardDiscovered(parent: ShardID("p"), range: SequenceRange(starting: nil, ending: nil), start: .trimHorizon)),
                        revision: 1),
                    Self.event(
                        4,
                        .rewound(
                            Rewound(
                                from: Sample.number("50"), to: Sample.number("42"), inclusive: false, reason: "bad\nrows",
                                author: "me@here", cascadeRoot: nil, epoch: Epoch(1)))),
                    Self.event(
                        5,
                        .iteratorResolved(
                            IteratorResolved(
                                rule: "after_sequence_number", iteratorType: .afterSequenceNumber,
                                sequenceNumber: Sample.number("42"), iterator: nil))),
                    Self.event(6, .statusChanged(StatusChanged(from: .prepared, to: .inProcessing, reason: "taken up"))),
                    Self.event(7, fault), Self.event(8, fault), Self.event(9, fault),
                ])
        ).story
        #expect(
            story.map(\.sentence) == [
                "it was discovered, a child of p, and was to be read from its start",
                "it was set back from 50 to 42, by me@here: bad\nrows",
                "reading began after 42, behind the last record that is known to be in the target (rule after_sequence_number)",
                "Throttled: slow down; it is tried again (3 times in a row)",
            ])
        #expect(story.map(\.position.number) == [2, 4, 5, 9])
    }

    @Test("A long story is told from its newest end, and says what is left out; its beginning stays")
    func long() {
        let turns = (1...40).map {
            Self.event(UInt64($0), .paused(Paused(author: "me", reason: "\($0)")))
        }
        let beginning = Self.event(
            1, .shardDiscovered(ShardDiscovered(parent: nil, range: SequenceRange(starting: nil, ending: nil), start: .latest)),
            revision: 1)
        let explanation = Explanation(Self.facts(Sample.shard("a"), turns: turns, beginning: beginning))
        #expect(explanation.story.count == 11)
        #expect(explanation.story[0].sentence.contains("from its newest record on"))
        #expect(explanation.untold == 30)
        #expect(explanation.lines(.plain, width: 100).contains { $0.contains("30 earlier events") })
    }

    @Test("Each row of the start table has words", arguments: StartTable.Rule.allCases)
    func rules(rule: StartTable.Rule) {
        let words = Rule(
            IteratorResolved(rule: rule.rawValue, iteratorType: .trimHorizon, sequenceNumber: nil, iterator: nil)
        ).reason
        #expect(words.contains(rule.rawValue) && !words.contains("newer version"))
    }

    // MARK: Output

    @Test("Nobody's text breaks a line or speaks to the terminal, and lines keep to the width")
    func printable() {
        var shard = Sample.shard("a", at: "1")
        shard.pause = Pause(author: "me", reason: "\u{1B}[2J\nrm " + String(repeating: "word ", count: 60), time: Sample.now, position: Position(9))
        let lines = Explanation(Self.facts(shard)).lines(.plain, width: 80)
        #expect(lines.allSatisfy { !$0.contains("\n") && !$0.contains("\u{1B}") && $0.count <= 110 })
    }

    @Test("The JSON says the same")
    func json() {
        let line = Explanation(Self.facts(Sample.shard("a", at: "42"))).json.line
        #expect(line.hasPrefix(#"{"table":"orders","stream":""#))
        for member in [#""stands":["All up"#, #""story":[]"#, #""next":["#, #""commands":[{"purpose":"#] {
            #expect(line.contains(member), "\(member)")
        }
    }
}
