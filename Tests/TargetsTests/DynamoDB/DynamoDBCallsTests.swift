import Foundation
import StreamModel
import StreamSim
import Synchronization
import Targets
import Testing

@testable import DynamoDBTarget

@Suite("What a DynamoDB target sends")
struct DynamoDBCallsTests {
    private let endpoint = SimulatedEndpoint()
    private var bench: DynamoDBBench { DynamoDBBench(endpoint: endpoint) }

    // MARK: Calls

    @Test("writes 25 items a call at most, and passes their bytes on as they came")
    func calls() async throws {
        let target = try await bench.ready()
        let odd = #"{ "id" : {"S":"odd"} ,"n":{"N":"1.50"},"s":{"S":"\u00e9\/"}}"#
        _ = try await target.write([
            Feed.batch(
                TableSchema.people,
                (0..<60).map { DynamoDBBench.put("\($0)", 1) } + [
                    .insert(keys: DynamoDBBench.key("odd"), new: odd), .remove(keys: DynamoDBBench.key("x")),
                ])
        ])
        let bodies = endpoint.bodies(of: "BatchWriteItem")
        let counts = bodies.map { $0.components(separatedBy: "Request\":{").count - 1 }
        #expect(counts.reduce(0, +) == 62)
        #expect(counts.max() == 25)
        #expect(bodies.contains { $0.contains(#"{"PutRequest":{"Item":\#(odd)}}"#) })
        #expect(bodies.contains { $0.contains(#"{"DeleteRequest":{"Key":\#(DynamoDBBench.key("x"))}}"#) })
    }

    @Test("Items that come back unprocessed, round after round, are written, and a key's last change stays")
    func unprocessed() async throws {
        let target = try await bench.ready()
        endpoint.set { $0.unprocessedItems = 70 }
        for version in 1...3 {
            _ = try await target.write([
                Feed.batch(
                    TableSchema.people, first: version * 100, (0..<50).map { DynamoDBBench.put("\($0)", version) })
            ])
            #expect(try bench.holds((0..<50).map { DynamoDBBench.item("\($0)", version) }))
        }
        #expect(endpoint.bodies(of: "BatchWriteItem").count > 9)
        #expect(!endpoint.clock.waits.isEmpty)
    }

    @Test("A throttled table is waited for; one that takes nothing for a minute is said to be out of reach")
    func throttled() async throws {
        let target = try await bench.ready()
        let count = Mutex(0)
        endpoint.follow { action, _ in
            guard action == "BatchWriteItem" else { return .normal }
            let isThrottled = count.withLock { count in
                count += 1
                return count < 15
            }
            return isThrottled
                ? .answers(
                    status: 400, body: #"{"__type":"x#ProvisionedThroughputExceededException","message":"slow"}"#)
                : .normal
        }
        _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])])
        #expect(try bench.holds([DynamoDBBench.item("ann", 1)]))
        endpoint.follow { _, _ in .normal }
        endpoint.set { $0.throttledTables = ["people"] }
        let error = await bench.refusal {
            _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 2)])])
        }
        #expect(error?.isRetryable == true)
        #expect(error?.description.contains("write capacity") == true)
    }

    // MARK: Attributes

    @Test("Replication attributes are stripped by option, also where the copy is compared")
    func strip() async throws {
        let target = try await bench.ready([("strip_replication", "true")])
        let item = #"{"id":{"S":"ann"},"aws:rep:updatetime":{"N":"1"},"aws:rep:deleting":{"BOOL":false},"v":{"N":"1"}}"#
        _ = try await target.write([
            Feed.batch(TableSchema.people, [.insert(keys: DynamoDBBench.key("ann"), new: item)])
        ])
        #expect(try bench.holds([DynamoDBBench.item("ann", 1)]))
        let kept = target.kept([Array("id".utf8): .null, Array("aws:rep:deleting".utf8): .null])
        #expect(kept.keys.map { String(decoding: $0, as: UTF8.self) } == ["id"])
    }
}
