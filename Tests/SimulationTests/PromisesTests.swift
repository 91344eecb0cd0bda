import Journal
import Simulation
import StreamModel
import Testing

@Suite("What an operator was promised")
struct PromisesTests {
    private static let table = TableName("table-1")

    private static func event(_ second: Double, _ payload: Payload) -> Event {
        Event(
            position: Position(UInt64(second)), time: Timestamp(seconds: second), run: RunID(Position(1)),
            subject: .table(table), revision: nil, payload: payload)
    }

    private static let due = Payload.phaseChanged(
        PhaseChanged(from: .incrSync, to: .fullSync, stream: nil, reason: "somebody asked for it"))
    private static let page = Payload.scanAdvanced(
        ScanAdvanced(segment: 0, totalSegments: 2, lastEvaluatedKey: nil, items: 1, bytes: 1, targetToken: nil))
    private static let finished = Payload.scanFinished(ScanFinished(items: 1))

    private static func answer(_ remedy: LossPolicy) -> Payload {
        .lossAcknowledged(LossAcknowledged(author: "", reason: "", remedy: remedy))
    }

    @Test("A full sync is owed until one is finished all of which began after the word")
    func older() {
        var promises = Promises()
        for segment in 0...1 { promises.scanBegins(Self.table, segment, at: Timestamp(seconds: 5)) }
        for payload in [Self.due, Self.page, Self.finished] { promises.take(Self.event(10, payload)) { _ in } }
        #expect(promises.unkept.map(\.since) == [Timestamp(seconds: 10)], "it began before the word")
        promises.scanBegins(Self.table, 0, at: Timestamp(seconds: 20))
        promises.take(Self.event(30, Self.finished)) { _ in }
        #expect(promises.unkept.count == 1, "a segment of it did")
        promises.scanBegins(Self.table, 1, at: Timestamp(seconds: 40))
        #expect(promises.unkept.count == 1, "it is not finished")
        promises.take(Self.event(50, Self.finished)) { _ in }
        #expect(promises.unkept.isEmpty)
    }

    @Test("An answer to a loss is owed until it is given, or another answer is")
    func answers() {
        var promises = Promises()
        promises.take(Self.event(10, Self.answer(.resync))) { _ in }
        #expect(promises.unkept.map(\.table) == [Self.table])
        promises.take(Self.event(20, Self.answer(.skip))) { _ in }
        #expect(promises.unkept.isEmpty)
    }

    @Test("A table that is paused is read by no process that begins after it, and by the one before only for a moment")
    func pauses() throws {
        var judge = Judge()
        let subject = Subject.table(Self.table)
        func reading(at second: Double, by began: Double, awake: Double) -> Violation? {
            judge.violation(
                ofReading: subject, at: Timestamp(seconds: second), began: Timestamp(seconds: began),
                awake: Timestamp(seconds: awake), watching: .seconds(2))
        }
        #expect(reading(at: 1000, by: 0, awake: 0) == nil, "it is not paused")
        try judge.chronicle.take(Self.event(100, .paused(Paused(author: "", reason: "")))) { _ in }
        #expect(reading(at: 101, by: 0, awake: 0) == nil, "nobody has looked yet")
        #expect(reading(at: 1000, by: 0, awake: 0)?.kind == .pause)
        #expect(reading(at: 1000, by: 0, awake: 999) == nil, "it was stopped until just now")
        #expect(reading(at: 201, by: 200, awake: 200)?.kind == .pause)
        try judge.chronicle.take(Self.event(300, .resumed(Resumed(author: "", reason: "")))) { _ in }
        #expect(reading(at: 1000, by: 200, awake: 200) == nil)
    }
}
