import DynamoDB
import Filter
import Journal
import StreamModel
import Targets
import Testing

@testable import Dispatcher

@Suite("What a daemon would do")
struct TablePlanTests {
    private let target = "sqlite:/replica.db"
    private static let otherStream = StreamARN(
        "arn:aws:dynamodb:eu-central-1:1:table/orders/stream/2026-11-24T00:00:00.000")

    private func description(
        streamEnabled: Bool = true, viewType: String? = "NEW_IMAGE", bytes: Int64 = 0, id: String = "first",
        stream: StreamARN = Sample.stream
    ) -> TableDescription {
        TableDescription(
            schema: TableSchema(
                name: Sample.table, hash: KeyAttribute(name: Array("id".utf8), type: .string), range: nil),
            id: TableID(id), status: "ACTIVE", stream: stream, streamEnabled: streamEnabled, viewType: viewType,
            itemCount: 7,
            tableSizeBytes: bytes)
    }

    private func decide(
        _ table: TableDescription? = nil, _ contents: Place.Contents = .missing, state: TableState? = nil,
        mode: DaemonConfiguration.Mode = .all, existing: ExistingPolicy = .refuse, enablingStreams: Bool = false,
        failing failed: [DynamoDBError] = [], unfit: String? = nil, isShared: Bool = false, filled: String? = nil,
        checkpoints: [Checkpoint] = [], filters: TableFilters = TableFilters(), onLoss: LossPolicy = .stop
    ) -> TablePlan {
        var configuration = Rig.following
        configuration.mode = mode
        configuration.enablesStreams = enablingStreams
        configuration.filters = filters
        configuration.onLoss = LossPolicies(onLoss)
        return TablePlan.decide(
            TablePlan.Findings(
                name: Sample.table, table: .success(table ?? description()),
                stream: .success(
                    StreamDescription(
                        status: "ENABLED", viewType: nil,
                        shards: [
                            Shard(id: ShardID("a"), parent: nil, range: SequenceRange(ending: SequenceNumber("9"))),
                            Shard(id: ShardID("b"), parent: ShardID("a"), range: SequenceRange()),
                        ])),
                failedCalls: failed,
                place: .success(
                    Place(object: "SQL table orders", contents: contents, unfit: unfit, isShared: isShared)),
                state: state, checkpoints: checkpoints, filledTarget: filled),
            configuration, existing: existing, target: target)
    }

    private func state(_ phase: Phase, segments: Int = 0) -> TableState {
        var state = TableState(table: Sample.table)
        state.phase = phase
        state.id = TableID("first")
        state.wanted = .all
        state.stream = Sample.stream
        state.segments = (0..<segments).map { number in
            TableState.Segment(
                segment: UInt32(number), totalSegments: 8, lastEvaluatedKey: nil, isFinished: number == 0, items: 5,
                bytes: 1)
        }
        return state
    }

    @Test("A new table is scanned, by its size, or followed in mode incr")
    func new() {
        let plan = decide(description(bytes: 10 << 30))
        #expect(plan.step == .scan(segments: 40, readers: 4))
        #expect(plan.obstacles.isEmpty)
        #expect(plan.stream == TablePlan.Stream(arn: Sample.stream, shards: 2, openShards: 1))
        #expect(decide(mode: .incr).step == .follow(from: .trimHorizon))
    }

    @Test("One that was begun goes on")
    func begun() {
        #expect(
            decide(nil, .filled, state: state(.fullSync, segments: 3)).step
                == .goOnScanning(segmentsFinished: 1, of: 8, items: 15))
        #expect(decide(state: state(.fullSync)).step == .scan(segments: 8, readers: 4))
        #expect(decide(state: state(.incrSync)).step == .goOnFollowing(shards: 0))
        #expect(decide(state: state(.incrSync), mode: .full).step == .nothing)
    }

    @Test("Rows that no journal knows keep a new table back, unless somebody has said what becomes of them")
    func existing() {
        let refused = decide(nil, .filled)
        #expect(refused.obstacles.map(\.exitCode) == [78])
        #expect(refused.obstacles.first?.description.contains("--existing") == true)
        #expect(decide(nil, .filled, existing: .append).obstacles.isEmpty)
        #expect(decide(nil, .filled, state: state(.incrSync)).obstacles.isEmpty)
        #expect(decide(nil, .empty).obstacles.isEmpty)
    }

    @Test("A file that all tables share is known to a journal that has filled it with another one")
    func shared() {
        #expect(decide(nil, .filled, isShared: true).obstacles.map(\.exitCode) == [78])
        #expect(decide(nil, .filled, isShared: true, filled: target).obstacles.isEmpty)
    }

    @Test(
        "A place that can't hold the table keeps it back, unless it is put out of the way",
        arguments: ExistingPolicy.allCases)
    func unfit(existing: ExistingPolicy) {
        let isMoved = existing == .replace || existing == .rename
        let filled = decide(nil, .filled, existing: existing, unfit: "it has another shape")
        #expect(filled.obstacles.map(\.exitCode) == (isMoved ? [] : [78]))
        // What is empty is not moved, nor what the journal knows.
        for plan in [
            decide(nil, .empty, existing: existing, unfit: "it has another shape"),
            decide(nil, .filled, state: state(.incrSync), existing: existing, unfit: "it has another shape"),
        ] {
            #expect(plan.obstacles.map(\.exitCode) == [78])
            #expect(plan.obstacles.first?.description.contains("it has another shape") == true)
        }
    }

    @Test("A full sync that is not finished keeps back who only follows, or scans again where the target was emptied")
    func unfinished() {
        let incr = decide(nil, .filled, state: state(.fullSync, segments: 3), mode: .incr)
        #expect(incr.step == .unknown && incr.obstacles.map(\.exitCode) == [78])
        #expect(incr.obstacles.first?.description.contains("its full sync is not finished") == true)
        #expect(decide(nil, .filled, state: state(.incrSync), mode: .incr).obstacles.isEmpty)

        let emptied = decide(state: state(.fullSync, segments: 3))
        #expect(emptied.obstacles.map(\.exitCode) == [69])
        let again = decide(state: state(.fullSync, segments: 3), onLoss: .resync)
        #expect(again.step == .scan(segments: 8, readers: 4) && again.obstacles.isEmpty)
    }

    @Test("A table that was made again is scanned in full, whatever was known of the one before")
    func madeAgain() {
        let other = description(id: "second", stream: Self.otherStream)
        let plan = decide(other, .filled, state: state(.incrSync))
        #expect(plan.step == .scan(segments: 8, readers: 4))
        #expect(plan.obstacles.isEmpty && plan.notes.count == 1)
        #expect(plan.notes.first?.contains("made again") == true)
        #expect(decide(other, .filled, state: state(.incrSync), mode: .incr).obstacles.map(\.exitCode) == [69])
    }

    @Test("Another stream of the same table is a loss, of which the policy says what comes")
    func otherStream() {
        let other = description(stream: Self.otherStream)
        #expect(decide(other, .filled, state: state(.incrSync)).obstacles.map(\.exitCode) == [69])
        let skipped = decide(other, .filled, state: state(.incrSync), onLoss: .skip)
        #expect(skipped.obstacles.isEmpty && skipped.notes.count == 1)
        let again = decide(other, .filled, state: state(.incrSync), onLoss: .resync)
        #expect(again.step == .scan(segments: 8, readers: 4) && again.obstacles.isEmpty)
        #expect(decide(nil, .filled, state: state(.incrSync)).notes.isEmpty)
    }

    @Test("Another filter begins a scan again, and puts nothing right that was scanned before")
    func otherFilter() throws {
        var placeholders = try Placeholders(names: nil, values: nil)
        let filters = TableFilters(try ItemFilter("attribute_exists(a)", &placeholders))
        let scanning = decide(nil, .filled, state: state(.fullSync, segments: 3), filters: filters)
        #expect(scanning.step == .scan(segments: 8, readers: 4) && scanning.notes.count == 1)
        let following = decide(nil, .filled, state: state(.incrSync), filters: filters)
        #expect(following.step == .goOnFollowing(shards: 0))
        #expect(following.notes.first?.contains("shakectl resync") == true)
    }

    @Test("A loss that stops a shard keeps the table back until somebody has answered it")
    func loss() {
        var checkpoint = Sample.checkpoint("b")
        let lost = RangeLost(cause: .trimmed, from: nil, to: nil, since: nil, policy: .stop, detail: "gone")
        checkpoint.loss = Loss(lost, time: Sample.moment, position: Position(2))
        let plan = decide(nil, .filled, state: state(.incrSync), checkpoints: [checkpoint])
        #expect(plan.obstacles.map(\.exitCode) == [69])
        let skipping = decide(nil, .filled, state: state(.incrSync), checkpoints: [checkpoint], onLoss: .skip)
        #expect(skipping.obstacles.isEmpty)
        let only = decide(nil, .filled, state: state(.incrSync), mode: .full, checkpoints: [checkpoint])
        #expect(only.step == .nothing && only.obstacles.isEmpty)
        checkpoint.loss?.remedy = .skip
        #expect(decide(nil, .filled, state: state(.incrSync), checkpoints: [checkpoint]).obstacles.isEmpty)
    }

    @Test("A pause keeps nobody back, and is said")
    func paused() {
        var state = self.state(.incrSync)
        state.pause = Pause(
            author: "me@here", reason: "it is moved", time: Sample.moment, position: Position(1))
        let plan = decide(nil, .filled, state: state)
        #expect(plan.obstacles.isEmpty)
        #expect(plan.notes.first?.contains("it is moved") == true && plan.notes.first?.contains("resume") == true)
    }

    @Test("A stream that is missing, or has no new images, keeps it back")
    func stream() {
        #expect(
            decide(description(streamEnabled: false)).obstacles.first?.description.contains("has no stream") == true)
        #expect(
            decide(description(viewType: "KEYS_ONLY")).obstacles.first?.description.contains("KEYS_ONLY") == true)
    }

    @Test("A stream that is missing is enabled where that is wanted, and one without new images is not made another")
    func enabledStream() {
        let missing = decide(description(streamEnabled: false), enablingStreams: true)
        #expect(missing.enablesStream && missing.obstacles.isEmpty)
        #expect(!decide(description(streamEnabled: false)).enablesStream)
        #expect(!decide(enablingStreams: true).enablesStream)
        let keysOnly = decide(description(viewType: "KEYS_ONLY"), enablingStreams: true)
        #expect(!keysOnly.enablesStream && keysOnly.obstacles.map(\.exitCode) == [78])
    }

    @Test("A stream that would be enabled is not")
    func enablesNothing() async throws {
        let rig = Rig()
        rig.addScannedTable()
        rig.source.change(Sample.table) { $0.streamEnabled = false }
        var configuration = Rig.scanning()
        configuration.enablesStreams = true
        let planner = Planner(
            configuration, existing: .refuse, journal: nil, source: rig.source, target: rig.target)
        #expect(try await planner.plan(Sample.table).enablesStream)
        #expect(rig.source.calls(.enableStream).isEmpty)
    }

    @Test("A permission that is lacking is said, with the code that run would end with")
    func denied() {
        let denied = DynamoDBError.service(
            code: "AccessDeniedException", message: "", status: 400, operation: "Scan", object: "table orders",
            requestID: nil)
        let plan = decide(failing: [denied])
        #expect(plan.obstacles.map(\.exitCode) == [77])
        #expect(plan.obstacles.first?.description.contains("allow dynamodb:Scan") == true)
    }

    @Test("It is found out by a call of each kind, none of which writes; nothing is opened")
    func calls() async throws {
        let rig = Rig()
        rig.addScannedTable()
        let planner = Planner(
            Rig.scanning(), existing: .refuse, journal: nil, source: rig.source, target: rig.target)
        let plan = try await planner.plan(Sample.table)
        #expect(plan.step == .scan(segments: 3, readers: 2))
        #expect(plan.obstacles.isEmpty)
        #expect(
            Set(rig.source.calls.map(\.operation)) == [.describeTable, .describeStream, .iterator, .records, .scan])
        #expect(rig.target.begun.isEmpty)

        rig.source.fail(.records, with: .named("AccessDeniedException"))
        let refused = try await planner.plan(Sample.table)
        #expect(refused.obstacles.map(\.exitCode) == [77])
        let unknown = try await planner.plan(TableName("unknown"))
        #expect(unknown.step == .unknown && unknown.obstacles.count == 1)
    }
}
