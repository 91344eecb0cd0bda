import DynamoDB
import Journal
import StreamModel
import Targets
import Testing

@testable import Dispatcher

@Suite("What a daemon would do")
struct TablePlanTests {
    private let target = "sqlite:/replica.db"

    private func description(
        streamEnabled: Bool = true, viewType: String? = "NEW_IMAGE", bytes: Int64 = 0
    ) -> TableDescription {
        TableDescription(
            schema: TableSchema(
                name: Sample.table, hash: KeyAttribute(name: Array("id".utf8), type: .string), range: nil),
            status: "ACTIVE", stream: Sample.stream, streamEnabled: streamEnabled, viewType: viewType, itemCount: 7,
            tableSizeBytes: bytes)
    }

    private func decide(
        _ table: TableDescription? = nil, _ contents: Place.Contents = .missing, state: TableState? = nil,
        mode: DaemonConfiguration.Mode = .all, existing: ExistingPolicy = .refuse, enablingStreams: Bool = false,
        failing failed: [DynamoDBError] = []
    ) -> TablePlan {
        var configuration = Rig.following
        configuration.mode = mode
        configuration.enablesStreams = enablingStreams
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
                failedCalls: failed, place: .success(Place(object: "SQL table orders", contents: contents)),
                state: state),
            configuration, existing: existing, target: target)
    }

    private func state(_ phase: Phase, segments: Int = 0) -> TableState {
        var state = TableState(table: Sample.table)
        state.phase = phase
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
            decide(state: state(.fullSync, segments: 3)).step
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
