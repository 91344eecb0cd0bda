import Dispatcher
import DynamoDB
import StreamModel
import Synchronization
import Testing

private final class Served: Sendable {
    private let noted = Mutex<[TurnQueue.Urgency]>([])

    var all: [TurnQueue.Urgency] { noted.withLock { $0 } }
    func note(_ urgency: TurnQueue.Urgency) { noted.withLock { $0.append(urgency) } }
}

@Suite("Turns")
struct TurnsTests {
    private let table = TableName("orders")

    @Test("Who waits for room holds no turn: what comes meanwhile and is more urgent goes first")
    func room() async throws {
        let budget = ByteBudget(capacity: 2 << 20)
        let turns = Turns(CallLimits(), budget: budget, surroundings: Surroundings())
        let all = try await budget.reserve(2 << 20)
        let served = Served()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (count, urgency) in [TurnQueue.Urgency.idle, .behind].enumerated() {
                group.addTask {
                    let lease = try await turns.wait(of: table, urgency)
                    served.note(urgency)
                    withExtendedLifetime(lease) {}
                }
                try await eventually("it waits") { turns.waiting == count + 1 }
            }
            all.resize(to: 1 << 20)
            try await group.waitForAll()
        }
        #expect(served.all == [.behind, .idle])
        withExtendedLifetime(all) {}
    }

    @Test("Who is cancelled goes away, and the others are served")
    func cancelled() async throws {
        let budget = ByteBudget(capacity: 2 << 20)
        let turns = Turns(CallLimits(), budget: budget, surroundings: Surroundings())
        let all = try await budget.reserve(2 << 20)
        let impatient = Task { try await turns.wait(of: table, .behind) }
        let patient = Task { try await turns.wait(of: table, .behind) }
        impatient.cancel()
        await #expect(throws: CancellationError.self) { try await impatient.value }
        all.resize(to: 0)
        _ = try await patient.value
        withExtendedLifetime(all) {}
    }

    @Test("A turn that is booked comes without a task that waits for it, and one that is given up never comes")
    func booked() async throws {
        let turns = Turns(CallLimits(), budget: ByteBudget(capacity: 2 << 20), surroundings: Surroundings())
        let served = Served()
        let unwanted = turns.book(of: table, .behind, after: .milliseconds(1)) { _ in served.note(.behind) }
        turns.giveUp(unwanted)
        _ = turns.book(of: table, .idle, after: .milliseconds(2)) { _ in served.note(.idle) }
        try await eventually("its turn comes") { served.all.contains(.idle) }
        #expect(served.all == [.idle])
        #expect(turns.waiting == 0)
    }
}
