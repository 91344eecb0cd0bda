import Foundation
import StreamModel
import Targets
import Testing

@testable import DynamoDBTarget

@Suite("A DynamoDB target that is its own source")
struct DynamoDBLoopsTests {
    private let endpoint = SimulatedEndpoint()
    private var bench: DynamoDBBench { DynamoDBBench(endpoint: endpoint) }

    private static let here = TargetRequest.Source(region: "eu-west-1", endpoint: "http://localhost:8000")
    private static let elsewhere = TargetRequest.Source(region: "eu-west-1", endpoint: "http://127.0.0.1:8000")

    @Test(
        "The source's own table is neither written to nor dropped",
        arguments: ExistingPolicy.allCases.filter { $0 != .rename })
    func loop(policy: ExistingPolicy) async throws {
        endpoint.makeTable("people", key: "id")
        endpoint.ask("PutItem", #"{"TableName":"people","Item":{"id":{"S":"ann"}}}"#)
        for source in [Self.here, Self.elsewhere] {
            let target = try endpoint.target([("create", "true")], existing: policy, source: source)
            try await target.open(recoveringTo: [])
            for error in [
                await bench.refusal { _ = try await target.begin(TableSchema.people.name) },
                await bench.refusal { try await target.prepare(TableSchema.people) },
            ] { #expect(error?.description.contains("without an end") == true, "\(String(describing: error))") }
            #expect(try await target.survey(TableSchema.people).unfit?.contains("without an end") == true)
        }
        #expect(try endpoint.items(of: "people").count == 1)
        let other = try endpoint.target([("create", "true"), ("prefix", "copy_")], source: Self.here)
        try await other.prepare(TableSchema.people)
    }

    @Test("A store that gives no TableId is known by its table's creation time, whatever host it is reached by")
    func loopWithoutIDs() async throws {
        endpoint.makeTable("people", key: "id")
        endpoint.ask("PutItem", #"{"TableName":"people","Item":{"id":{"S":"ann"}}}"#)
        let described = endpoint.ask("DescribeTable", #"{"TableName":"people"}"#).body
            .replacing(/"TableId":"[^"]*",/, with: "")
        endpoint.follow { action, _ in action == "DescribeTable" ? .answers(status: 200, body: described) : .normal }
        // Alternator has said the current time, which any two tables have in common.
        let other = try endpoint.target(existing: .append, source: Self.elsewhere)
        #expect(try await other.begin(TableSchema.people.name)?.contains("filled on") == true)
        endpoint.clock.leap(.seconds(3600))
        let target = try endpoint.target([("create", "true")], existing: .replace, source: Self.elsewhere)
        try await target.open(recoveringTo: [])
        let error = await bench.refusal { _ = try await target.begin(TableSchema.people.name) }
        #expect(error?.description.contains("without an end") == true, "\(String(describing: error))")
        #expect(endpoint.bodies(of: "DeleteTable").isEmpty)
        #expect(try endpoint.items(of: "people").count == 1)
    }
}
