import DynamoDB
import Foundation
import StreamModel
import Synchronization
import Targets
import Testing

@testable import DynamoDBTarget

@Suite("What comes late at a DynamoDB target")
struct DynamoDBLateEffectsTests {
    private let endpoint = SimulatedEndpoint()
    private var bench: DynamoDBBench { DynamoDBBench(endpoint: endpoint) }

    @Test(
        "A late effect of a call that was given up does not undo a newer change",
        arguments: DynamoDBSettings.Guard.allCases)
    func late(guarding: DynamoDBSettings.Guard) async throws {
        let target = try await bench.ready([("guard", guarding.rawValue)])
        endpoint.delayFirst(of: ["BatchWriteItem", "TransactWriteItems"], by: .seconds(8))
        _ = try await target.write([Feed.batch(TableSchema.people, first: 1, [DynamoDBBench.put("ann", 1)])])
        let before = endpoint.clock.now
        _ = try await target.write([Feed.batch(TableSchema.people, first: 2, [DynamoDBBench.put("ann", 2)])])
        #expect((before.duration(to: endpoint.clock.now) >= .seconds(9)) == (guarding == .wait))
        endpoint.clock.leap(.seconds(60))
        #expect(try bench.holds([DynamoDBBench.item("ann", 2)]))
        #expect(endpoint.effectsThatCameLate == 1, "else nothing was tried")
    }

    @Test("Without the wait it would: this is what the guard is for")
    func unguarded() async throws {
        let target = try await bench.ready([("settle", "0s")])
        endpoint.delayFirst(of: ["BatchWriteItem"], by: .seconds(8))
        _ = try await target.write([Feed.batch(TableSchema.people, first: 1, [DynamoDBBench.put("ann", 1)])])
        _ = try await target.write([Feed.batch(TableSchema.people, first: 2, [DynamoDBBench.put("ann", 2)])])
        endpoint.clock.leap(.seconds(60))
        #expect(try bench.holds([DynamoDBBench.item("ann", 1)]))
    }

    @Test("Other keys, and the same change again, don't wait for a key in doubt")
    func othersGoOn() async throws {
        let target = try await bench.ready()
        endpoint.delayFirst(of: ["BatchWriteItem"], by: .seconds(8))
        _ = try await target.write([Feed.batch(TableSchema.people, first: 1, [DynamoDBBench.put("ann", 1)])])
        let before = endpoint.clock.now
        _ = try await target.write([
            Feed.batch(
                TableSchema.people, first: 1,
                [DynamoDBBench.put("ann", 1)] + (0..<30).map { DynamoDBBench.put("\($0)", 1) })
        ])
        #expect(before.duration(to: endpoint.clock.now) == .zero)
    }

    @Test(
        "What a killed daemon has left under way does not undo what the next one writes",
        arguments: DynamoDBSettings.Guard.allCases)
    func killed(guarding: DynamoDBSettings.Guard) async throws {
        let options = [("create", "true"), ("guard", guarding.rawValue)]
        let target = try await bench.ready([("guard", guarding.rawValue)])
        endpoint.delayFirst(of: ["BatchWriteItem", "TransactWriteItems"], by: .seconds(8))
        let dying = Task { _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])]) }
        dying.cancel()
        _ = await dying.result
        let next = try endpoint.target(options)
        try await next.open(recoveringTo: [])
        try await next.prepare(TableSchema.people)
        _ = try await next.write([
            Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1), DynamoDBBench.put("ann", 2)])
        ])
        endpoint.clock.leap(.seconds(60))
        #expect(try bench.holds([DynamoDBBench.item("ann", 2)]))
    }

    @Test("A transaction that nobody answers is asked again by its token before anything newer is written")
    func unresolved() async throws {
        let target = try await bench.ready([("guard", "transaction")])
        endpoint.follow { action, _ in action == "TransactWriteItems" ? .late(.seconds(400)) : .normal }
        let error = await bench.refusal {
            _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])])
        }
        #expect(error?.isRetryable == true)
        endpoint.follow { _, _ in .normal }
        _ = try await target.write([Feed.batch(TableSchema.people, first: 2, [DynamoDBBench.put("ann", 2)])])
        // Within the ten minutes of a token; a request that is five minutes old has no good signature any more.
        endpoint.clock.leap(.seconds(450))
        #expect(try bench.holds([DynamoDBBench.item("ann", 2)]))
        let tokens = endpoint.bodies(of: "TransactWriteItems").map { $0.components(separatedBy: "\"")[3] }
        #expect(Set(tokens).count == 2)
        #expect(tokens.dropLast().allSatisfy { $0 == tokens[0] })
    }

    @Test(
        "A late effect of a repair beside the daemon does not undo what the daemon writes after it",
        arguments: DynamoDBSettings.Guard.allCases)
    func beside(guarding: DynamoDBSettings.Guard) async throws {
        let daemon = try await bench.ready([("guard", guarding.rawValue)])
        let beside = try endpoint.target([("guard", guarding.rawValue)])
        try await beside.openBeside()
        try await beside.prepare(TableSchema.people)
        endpoint.delayFirst(of: ["BatchWriteItem", "TransactWriteItems"], by: .seconds(8))
        _ = try await beside.write([Feed.batch(TableSchema.people, first: 1, [DynamoDBBench.put("ann", 1)])])
        _ = try await daemon.write([Feed.batch(TableSchema.people, first: 2, [DynamoDBBench.put("ann", 2)])])
        endpoint.clock.leap(.seconds(60))
        #expect(try bench.holds([DynamoDBBench.item("ann", 2)]))
        #expect(endpoint.effectsThatCameLate == 1, "else nothing was tried")
    }

    @Test("A repair that fails leaves no transaction open that could still be answered")
    func besideUnresolved() async throws {
        _ = try await bench.ready()
        let beside = try endpoint.target([("guard", "transaction")])
        try await beside.openBeside()
        try await beside.prepare(TableSchema.people)
        let tries = RetryPolicy().maximumAttempts
        let count = Mutex(0)
        endpoint.follow { action, _ in
            guard action == "TransactWriteItems" else { return .normal }
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number <= tries ? .late(.seconds(200)) : .normal
        }
        let error = await bench.refusal {
            _ = try await beside.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])])
        }
        #expect(error?.isRetryable == true)
        #expect(await beside.unresolved.isEmpty)
    }

    @Test("A write that waits for a key in doubt ends when it is cancelled")
    func cancelled() async throws {
        let target = try endpoint.target([("create", "true"), ("settle", "3600s")])
        try await target.open(recoveringTo: [])
        try await target.prepare(TableSchema.people)
        let ending = Task {
            while !Task.isCancelled { await Task.yield() }
            _ = try await target.write([Feed.batch(TableSchema.people, [DynamoDBBench.put("ann", 1)])])
        }
        ending.cancel()
        let error = await bench.refusal { try await ending.value }
        #expect(error?.isRetryable == true)
        #expect(endpoint.bodies(of: "BatchWriteItem").isEmpty)
    }
}
