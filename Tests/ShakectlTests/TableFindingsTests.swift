import DynamoDB
import Journal
import StreamModel
import Targets
import Testing

@testable import Dispatcher
@testable import shakectl

@Suite("What doctor says of a table")
struct TableFindingsTests {
    private static let arn = "arn:aws:dynamodb:eu-central-1:1:table/orders"

    private func refused(_ operation: String, _ code: String = "AccessDeniedException") -> DynamoDBError {
        .service(code: code, message: "no", status: 400, operation: operation, object: "x", requestID: nil)
    }

    private func findings(
        table: Result<TableDescription, DynamoDBError>? = nil, viewType: String = "NEW_IMAGE", enabled: Bool = true,
        stream: DynamoDBError? = nil, calls: [DynamoDBError] = [], place: Result<Place, TargetError>? = nil,
        openShards: Bool = true, mode: DaemonConfiguration.Mode = .all, enablesStreams: Bool = false
    ) -> TableFindings {
        var configuration = DaemonConfiguration(tables: [TableName("orders")])
        configuration.mode = mode
        configuration.enablesStreams = enablesStreams
        let description = TableDescription(
            schema: TableSchema(
                name: TableName("orders"), hash: KeyAttribute(name: Array("id".utf8), type: .string), range: nil),
            status: "ACTIVE", stream: Sample.stream, streamEnabled: enabled, viewType: viewType, itemCount: 7,
            tableSizeBytes: 0)
        let range = openShards ? SequenceRange() : SequenceRange(ending: SequenceNumber("9"))
        let found = TablePlan.Findings(
            name: TableName("orders"), table: table ?? .success(description),
            stream: stream.map { .failure($0) }
                ?? .success(
                    StreamDescription(
                        status: "ENABLED", viewType: nil, shards: [Shard(id: ShardID("a"), parent: nil, range: range)])),
            failedCalls: calls, place: place ?? .success(Place(object: "SQL table orders", contents: .missing)))
        let plan = TablePlan.decide(found, configuration, existing: .refuse, target: "sqlite:/r.db")
        return TableFindings(plan, mode, region: "eu-central-1", account: nil, target: "sqlite:/r.db")
    }

    private func shown(_ findings: TableFindings, others: [String] = []) -> [String: Diagnosis.Severity] {
        Dictionary(findings.all(others: others.map { TableName($0) }).map { ($0.check, $0.severity) }) { first, _ in
            first
        }
    }

    private static let calls = ["DescribeTable", "Scan", "DescribeStream", "GetShardIterator", "GetRecords"].map {
        "dynamodb:\($0)"
    }

    @Test("Where all is well each call, the stream and the target are ok")
    func well() {
        let all = shown(findings())
        #expect(all.count == 7)
        #expect(Set(all.keys) == Set(Self.calls + ["stream", "target"]))
        #expect(all.values.allSatisfy { $0 == .ok })
    }

    @Test(
        "A call that is denied is named, with its resource and what else is needed on it",
        arguments: TableFindingsTests.calls)
    func denied(action: String) throws {
        let operation = String(action.dropFirst("dynamodb:".count))
        let error = refused(operation)
        let all =
            switch operation {
            case "DescribeTable": findings(table: .failure(error))
            case "DescribeStream": findings(stream: error)
            default: findings(calls: [error])
            }
        let problems = all.all(others: []).filter { $0.severity == .problem }
        let problem = try #require(problems.first)
        #expect(problems.count == 1)
        #expect(problem.check == action)
        #expect(problem.exitCode == 77)
        let isOfStream = ["DescribeStream", "GetShardIterator", "GetRecords"].contains(operation)
        let resource =
            operation == "DescribeTable"
            ? "arn:aws:dynamodb:eu-central-1:*:table/orders" : isOfStream ? "\(Self.arn)/stream/*" : Self.arn
        #expect(problem.advice.hasSuffix(#""Resource":"\#(resource)"}"#), "\(problem.advice)")
    }

    @Test("What could not be tried is not said to be allowed")
    func untried() {
        let all = shown(findings(stream: refused("DescribeStream")))
        #expect(all["dynamodb:GetShardIterator"] == .warning)
        #expect(all["dynamodb:GetRecords"] == .warning)
        #expect(shown(findings(calls: [refused("GetShardIterator")]))["dynamodb:GetRecords"] == .warning)
        #expect(shown(findings(openShards: false))["dynamodb:GetRecords"] == .warning)
        #expect(shown(findings(mode: .incr))["dynamodb:Scan"] == nil, "it is not called")
    }

    @Test("A stream that is missing, or carries no new images, is one problem, said once")
    func stream() {
        for all in [findings(enabled: false), findings(viewType: "KEYS_ONLY")] {
            let problems = all.all(others: []).filter { $0.severity == .problem }
            #expect(problems.map(\.check) == ["stream"])
            #expect(problems.map(\.exitCode) == [78])
        }
        #expect(shown(findings(enabled: false, enablesStreams: true))["stream"] == .warning)
    }

    @Test("A table that isn't there has the nearest that is")
    func missing() throws {
        let missing = findings(table: .failure(refused("DescribeTable", "ResourceNotFoundException")))
        let all = missing.all(others: [TableName("users"), TableName("order")])
        #expect(all.count == 1)
        #expect(all[0].exitCode == 69)
        #expect(all[0].detail.contains("among 2 tables the nearest is order"))
        #expect(!missing.all(others: [])[0].detail.contains("nearest"))
    }

    @Test("Who answers nobody, and whom nobody knows, is told from a table of one's own")
    func everywhere() {
        let cut = DynamoDBError.unreachable(endpoint: "e", operation: "DescribeTable", reason: "r")
        #expect(findings(table: .failure(cut)).unreachable == cut)
        let unknown = refused("DescribeTable", "UnrecognizedClientException")
        #expect(findings(table: .failure(unknown)).refused == unknown)
        #expect(findings(calls: [refused("Scan")]).refused == nil)
        #expect(findings().unreachable == nil)
    }

    @Test("A target that can't be reached, or holds what nobody knows of, is in the way")
    func target() {
        let down = findings(place: .failure(.unavailable(target: "postgres://h", reason: "no answer")))
        let problems = down.all(others: []).filter { $0.severity == .problem }
        #expect(problems.map(\.check) == ["target"])
        #expect(problems.map(\.exitCode) == [69])
        let strange = findings(place: .success(Place(object: "SQL table orders", contents: .filled)))
        #expect(strange.all(others: []).filter { $0.severity == .problem }.map(\.check) == ["table"])
    }
}
