import StreamModel
import TestSupport
import Testing

@testable import DynamoDB

@Suite("Where calls wait for their turn")
struct CallLinesTests {
    private let clock = HastyClock()

    private func lines(perTable: Int?) -> CallLines {
        CallLines(
            CallLimits(describeStream: 1000, describeStreamPerTable: perTable), Surroundings(clock: clock))
    }

    @Test("A stream that asks for more than it may waits alone")
    func perTable() async throws {
        let lines = lines(perTable: 1)
        for _ in 1...3 { try await lines.pass(.describeStream, of: "stream a") }
        let waits = clock.waits.filter { $0 > .milliseconds(500) }
        #expect(waits.count == 2, "a call a second, and the clock of the test stands still")
        try await lines.pass(.describeStream, of: "stream b")
        #expect(clock.waits.filter { $0 > .milliseconds(500) } == waits)
    }

    @Test("Without a bound of one, only that of all counts; and other calls have none")
    func ofAll() async throws {
        let lines = lines(perTable: nil)
        for _ in 1...3 { try await lines.pass(.describeStream, of: "stream a") }
        for _ in 1...3 { try await lines.pass(.describeTable, of: "table a") }
        #expect(clock.waits.allSatisfy { $0 < .milliseconds(10) })
    }
}
