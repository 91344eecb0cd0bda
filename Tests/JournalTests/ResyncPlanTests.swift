import StreamModel
import Testing

@testable import Journal

@Suite("Asking for another full sync")
struct ResyncPlanTests {
    private static let request = ResyncRequest(table: Sample.table, reason: "a bad deploy", author: "me@here")

    private static func state(_ payloads: [Payload]) -> TableState {
        var state = TableState(table: Sample.table)
        for (index, payload) in payloads.enumerated() {
            state.apply(payload, position: Position(UInt64(index + 1)), time: Sample.noon)
        }
        return state
    }

    private static let following = state([
        .phaseChanged(PhaseChanged(from: nil, to: .incrSync, stream: Sample.stream, reason: ""))
    ])

    @Test("It is a change of phase that says who asked and why")
    func asks() throws {
        let plan = try ResyncPlan.make(Self.request, of: Self.following, among: [], isScanned: true)
        let change = PhaseChanged(
            from: .incrSync, to: .fullSync, stream: Sample.stream, reason: "me@here asked for it: a bad deploy")
        #expect(plan.drafts == [Draft(table: Sample.table, [.phaseChanged(change)])])
        #expect((plan.from, plan.losses) == (.incrSync, []))
    }

    @Test("Where the daemon only follows it is refused")
    func neverScanned() {
        #expect(throws: AckRefusal.neverScanned(Sample.table)) {
            try ResyncPlan.make(Self.request, of: Self.following, among: [], isScanned: false)
        }
    }

    @Test("A table that stands still for a loss goes on by the scan, as `ack --resync` says, and is scanned once")
    func stopped() throws {
        var stopped = Self.following
        stopped.apply(.lost(.stop, .streamReplaced), position: Position(2), time: Sample.noon)
        let plan = try ResyncPlan.make(Self.request, of: stopped, among: [], isScanned: true)
        let word = LossAcknowledged(author: "me@here", reason: "a bad deploy", remedy: .resync)
        #expect(plan.drafts == [Draft(table: Sample.table, [.lossAcknowledged(word)])])
        #expect(plan.losses.count == 1)
    }

    @Test("A full sync that ends beside the word is refused to end another one than it was, and changes nothing")
    func superseded() async throws {
        let scratch = Scratch()
        try await Journal.use(scratch.journal) { journal in
            let begun = PhaseChanged(from: nil, to: .fullSync, stream: Sample.stream, reason: "first")
            _ = try await journal.append([Draft(table: Sample.table, [.phaseChanged(begun)])])
            let known = try #require(try journal.table(Sample.table))
            let id = try #require(known.fullSync)
            let word = try ResyncPlan.make(Self.request, of: known, among: [], isScanned: true)
            _ = try await journal.append(word.drafts)
            let before = try journal.table(Sample.table)
            let end = PhaseChanged(from: .fullSync, to: .incrSync, stream: nil, reason: "finished")
            let draft = { (id: FullSyncID) in
                Draft(table: Sample.table, during: id, [.scanFinished(ScanFinished(items: 1)), .phaseChanged(end)])
            }
            await #expect(throws: JournalError.superseded(table: Sample.table)) {
                try await journal.append([Draft(table: Sample.table, [.faulted()]), draft(id)])
            }
            #expect(try journal.table(Sample.table) == before)
            _ = try await journal.append([draft(try #require(before?.fullSync))])
            #expect(try journal.table(Sample.table)?.phase == .incrSync)
            _ = try journal.verified()
        }
    }
}
