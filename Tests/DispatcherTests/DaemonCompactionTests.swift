import Dispatcher
import Journal
import StreamModel
import Testing

@Suite("A daemon whose journal grows old", .timeLimit(.minutes(2)))
struct DaemonCompactionTests {
    private let rig = Rig()

    @Test("A daemon folds old advances together at its start, and goes on")
    func folds() async throws {
        rig.source.add(FakeShard("a"))
        try await rig.run { daemon in
            for number in 1...12 {
                rig.source.put(number...number, in: "a")
                try await eventually("it is journaled") { try daemon.journal.number(of: "a") == number }
            }
        }
        let before = try rig.journal { try $0.checkpoint(of: Sample.key("a")) }
        var configuration = Rig.following
        configuration.onLoss = LossPolicies(.skip)
        try await rig.run(configuration, ahead: .seconds(50 * 3600)) { daemon in
            try await eventually("they are folded") {
                try daemon.journal.kinds(of: "a").contains("advances_folded")
            }
            rig.source.change("a") { $0.put(13...13, at: .now() + .seconds(50 * 3600)) }
            try await eventually("the next record is journaled") { try daemon.journal.number(of: "a") == 13 }
        }
        let after = try rig.journal { try $0.checkpoint(of: Sample.key("a")) }
        #expect(after?.records == before.map { $0.records + 1 })
        let report = try rig.journal { journal in try journal.verify { _ in } }
        #expect(report.folded >= 9)
    }
}
