import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("An event, shown")
struct EventViewTests {
    private static let iterator = ShardIterator(String(repeating: "i", count: 100))
    private static let envelope = """
        {"position":12,"revision":3,"time":"2026-11-23T16:20:00.500000Z","run":1,"table":"orders",\
        "stream":"\(Sample.stream)","shard":"shard-1",
        """

    private func line(_ payload: Payload) -> String { EventView(Sample.event(payload)).json.line }

    /// One of each kind that a shard has, and the fields of its own.
    static let shardEvents: [(Payload, String)] = [
        (
            .shardDiscovered(
                ShardDiscovered(
                    parent: ShardID("p"), range: SequenceRange(starting: Sample.number("1")), start: .trimHorizon)),
            #""event":"shard_discovered","parent":"p","starting_sequence_number":"1","ending_sequence_number":null,"start":"TRIM_HORIZON"}"#
        ),
        (
            .queried(
                Queried(
                    revision: Revision(2), status: .prepared, iteratorType: .afterSequenceNumber,
                    sequenceNumber: Sample.number("007"), worker: "h/1")),
            #""event":"queried","seen_revision":2,"status":"prepared","iterator_type":"AFTER_SEQUENCE_NUMBER","sequence_number":"007","worker":"h/1"}"#
        ),
        (
            .iteratorResolved(
                IteratorResolved(
                    rule: "trim_horizon", iteratorType: .trimHorizon, sequenceNumber: nil, iterator: iterator)),
            #""event":"iterator_resolved","rule":"trim_horizon","iterator_type":"TRIM_HORIZON","sequence_number":null,"iterator":"\#(iterator.token)"}"#
        ),
        (
            .statusChanged(StatusChanged(from: .prepared, to: .inProcessing, reason: "taken up")),
            #""event":"status_changed","from":"prepared","to":"in_processing","reason":"taken up"}"#
        ),
        (
            .sequenceAdvanced(
                SequenceAdvanced(
                    sequenceNumber: Sample.number("1234567890123456789012345"), records: 10, bytes: 4096,
                    approximateTime: Sample.time("2026-11-23T16:19:58Z"), targetToken: TargetToken("77"))),
            #""event":"sequence_advanced","sequence_number":"1234567890123456789012345","records":10,"bytes":4096,"approximate_time":"2026-11-23T16:19:58Z","target_token":"77"}"#
        ),
        (
            .advancesFolded(
                AdvancesFolded(
                    first: Position(4), firstRevision: Revision(2), since: Sample.time("2026-11-23T15:20:00Z"),
                    count: 2,
                    advance: SequenceAdvanced(
                        sequenceNumber: Sample.number("12"), records: 10, bytes: 4096, approximateTime: nil,
                        targetToken: nil))),
            #""event":"advances_folded","first_position":4,"first_revision":2,"since":"2026-11-23T15:20:00Z","count":2,"sequence_number":"12","records":10,"bytes":4096,"approximate_time":null,"target_token":null}"#
        ),
        (
            .paused(Paused(author: "me@here", reason: "a move")),
            #""event":"paused","author":"me@here","reason":"a move"}"#
        ),
        (
            .resumed(Resumed(author: "me@here", reason: "")),
            #""event":"resumed","author":"me@here","reason":""}"#
        ),
        (
            .faulted(Faulted(code: "Throttled", message: "slow \"down\"", isRetried: true)),
            #""event":"faulted","code":"Throttled","message":"slow \"down\"","retried":true}"#
        ),
        (
            .rewound(
                Rewound(
                    from: Sample.number("9"), to: nil, inclusive: false, reason: "r", author: "a@b",
                    cascadeRoot: ShardID("root"), epoch: Epoch(2))),
            #""event":"rewound","from_sequence_number":"9","to_sequence_number":null,"inclusive":false,"reason":"r","author":"a@b","cascade_root":"root","epoch":2}"#
        ),
    ]

    @Test("The JSON is the envelope, then the event's own fields, none left out", arguments: shardEvents)
    func json(payload: Payload, own: String) {
        #expect(line(payload) == Self.envelope + own)
    }

    @Test("Events of a run and of a table have the same envelope, with nulls")
    func others() {
        let run = RunStarted(role: "daemon", version: "1", host: "h", pid: 5, region: "r", endpoint: "e")
        #expect(
            EventView(Sample.event(.runStarted(run), of: .run, revision: nil)).json.line == """
                {"position":12,"revision":null,"time":"2026-11-23T16:20:00.500000Z","run":1,"table":null,"stream":null,\
                "shard":null,"event":"run_started","role":"daemon","version":"1","host":"h","pid":5,"region":"r",\
                "endpoint":"e","target":""}
                """)
        let change = PhaseChanged(
            from: nil, to: .fullSync, stream: Sample.stream, reason: "new", tableID: TableID("a-1"), wanted: .all)
        let table = Subject.table(TableName("orders"))
        #expect(
            EventView(Sample.event(.phaseChanged(change), of: table, revision: nil)).json.line == """
                {"position":12,"revision":null,"time":"2026-11-23T16:20:00.500000Z","run":1,"table":"orders",\
                "stream":"\(Sample.stream)","shard":null,"event":"phase_changed","from":null,"to":"full_sync",\
                "phase":"full_sync","reason":"new","table_id":"a-1","filter":""}
                """)
        let scan = ScanAdvanced(
            segment: 1, totalSegments: 4, lastEvaluatedKey: Array(#"{"pk":{"S":"a"}}"#.utf8), items: 3, bytes: 9,
            targetToken: nil)
        #expect(
            EventView(Sample.event(.scanAdvanced(scan), of: table, revision: nil)).json.line.hasSuffix(
                #""event":"scan_advanced","segment":1,"total_segments":4,"last_evaluated_key":"{\"pk\":{\"S\":\"a\"}}","items":3,"bytes":9,"target_token":null}"#
            ))
    }

    @Test("An event of a newer version is shown for what is known of it")
    func unknown() {
        let view = EventView(Sample.event(.unknown(kind: 99, encoded: [1, 2, 3])))
        #expect(view.json.line.hasSuffix(#""kind":99,"encoded_bytes":3}"#))
        #expect(view.words.contains("written by a newer version"))
    }

    @Test("Text shortens an iterator; JSON keeps it whole")
    func iterators() {
        let view = EventView(
            Sample.event(
                .iteratorResolved(
                    IteratorResolved(
                        rule: "r", iteratorType: .latest, sequenceNumber: nil, iterator: Self.iterator))))
        #expect(view.words == "r: LATEST, iterator iiiiiiiiiiii…iiiiiiii")
    }

    @Test("The lines of a history stand below their headings")
    func lines() {
        let lines = EventLines(palette: .plain, namesSubject: false)
        let view = EventView(
            Sample.event(.statusChanged(StatusChanged(from: .prepared, to: .inProcessing, reason: "new"))))
        #expect(lines.heading == " POSITION     REV  TIME (UTC)               EVENT              WHAT")
        #expect(
            lines.line(view)
                == "       12       3  2026-11-23 16:20:00.500  status_changed     prepared → in_processing (new)")
    }

    @Test("The lines of the whole journal say what they are about")
    func about() {
        let lines = EventLines(palette: .plain, namesSubject: true)
        let stopped = EventView(Sample.event(.runStopped(RunStopped(reason: "SIGTERM")), of: .run, revision: nil))
        #expect(
            lines.line(stopped) == "       12       -  2026-11-23 16:20:00.500  run_stopped        run 1: SIGTERM")
    }

    @Test("Every kind that --event takes is the kind of an event", arguments: shardEvents)
    func kinds(payload: Payload, own: String) throws {
        try EventKinds.check(payload.kind)
    }
}
