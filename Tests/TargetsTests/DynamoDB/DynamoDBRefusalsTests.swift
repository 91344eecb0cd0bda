import Curl
import Foundation
import StreamModel
import Targets
import Testing

@testable import DynamoDBTarget

@Suite("What a DynamoDB target refuses, and what stops it")
struct DynamoDBRefusalsTests {
    private let endpoint = SimulatedEndpoint()
    private var bench: DynamoDBBench { DynamoDBBench(endpoint: endpoint) }

    // MARK: Records that are refused

    @Test(
        "One bad record among many is named, and the others can be written", arguments: DynamoDBSettings.Guard.allCases,
        [0, 7, 24, 29])
    func badRecord(guarding: DynamoDBSettings.Guard, place: Int) async throws {
        let target = try await bench.ready([("guard", guarding.rawValue)])
        var entries = (0..<30).map { DynamoDBBench.put("\($0)", 1) }
        let bad = #"{"id":{"S":"\#(place)"},"v":{"N":"1E+300"}}"#
        entries[place] = .insert(keys: DynamoDBBench.key("\(place)"), new: bad)
        let batch = Feed.batch(TableSchema.people, entries)
        let error = await bench.refusal { _ = try await target.write([batch]) }
        guard case .unwritable(_, _, let reason, let change?) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(change == batch.parts[0].changes[place])
        #expect(reason.contains("refuses"))
        _ = try await target.write([batch.without(change)])
        #expect(try bench.holds((0..<30).filter { $0 != place }.map { DynamoDBBench.item("\($0)", 1) }))
    }

    @Test("A table that was made again with another key is nobody's record's fault")
    func otherKey() async throws {
        let target = try await bench.ready()
        endpoint.ask("DeleteTable", #"{"TableName":"people"}"#)
        endpoint.makeTable("people", key: "name")
        let error = await bench.refusal {
            _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])])
        }
        guard case .misconfigured = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description.contains("its key is name (S)") == true)
    }

    // MARK: What stops

    @Test(
        "What an operator must do is said",
        arguments: [
            ("AccessDeniedException", "allow dynamodb:BatchWriteItem"), ("UnrecognizedClientException", "access key"),
            ("ResourceNotFoundException", "create=true"), ("UnknownOperationException", "guard=transaction"),
        ])
    func stops(code: String, words: String) async throws {
        let target = try await bench.ready()
        endpoint.follow { action, _ in
            action == "BatchWriteItem"
                ? .answers(status: 400, body: #"{"__type":"x#\#(code)","message":"m"}"#) : .normal
        }
        let error = await bench.refusal {
            _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])])
        }
        guard case .misconfigured = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect(error?.description.contains("localsecret") == false)
    }

    @Test("A transaction in whose way only missing rights are stops, and is not made again for ever")
    func reasonStops() async throws {
        let target = try await bench.ready([("guard", "transaction")])
        endpoint.follow { action, _ in
            action == "TransactWriteItems"
                ? .answers(
                    status: 400,
                    body: #"{"__type":"x#TransactionCanceledException","message":"cancelled [None, AccessDenied]"}"#)
                : .normal
        }
        let batch = Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1), DynamoDBBench.put("bob", 1)])
        let error = await bench.refusal { _ = try await target.write([batch]) }
        guard case .misconfigured = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description.contains("allow the write") == true)
        #expect(endpoint.bodies(of: "TransactWriteItems").count == 1)
    }

    @Test("An endpoint that is out of reach may come back")
    func unreachable() async throws {
        let target = try await bench.ready()
        endpoint.follow { _, _ in .fails(.unreachable(reason: "nobody listens")) }
        let error = await bench.refusal {
            _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])])
        }
        #expect(error?.isRetryable == true)
        endpoint.follow { _, _ in .normal }
        let before = endpoint.clock.now
        _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 2)])])
        #expect(before.duration(to: endpoint.clock.now) == .zero, "what never arrived can't come late")
        #expect(try bench.holds([DynamoDBBench.item("ann", 2)]))
    }
}
