import Dispatcher
import Journal
import StreamModel

/// What tests of losses do and ask.
extension Rig {
    static func following(
        onLoss policy: LossPolicy, mode: DaemonConfiguration.Mode = .incr
    ) -> DaemonConfiguration {
        var configuration = following
        configuration.mode = mode
        configuration.onLoss = LossPolicies(policy)
        return configuration
    }

    /// A child that was followed until 4, and whose next records have left the stream up to 6.
    func loseFive() async throws {
        source.add(FakeShard("a", 1...4))
        try await run { daemon in
            try await eventually("all is journaled") { try daemon.journal.number(of: "a") == 4 }
        }
        source.change("a") {
            $0.put(5...9)
            $0.trimmed = 6
        }
    }

    /// A shard that was pinned to its newest record, behind these.
    func pinBehind(_ numbers: ClosedRange<Int>, onLoss policy: LossPolicy) async throws -> DaemonConfiguration {
        source.add(FakeShard("a", numbers))
        var configuration = Self.following(onLoss: policy)
        configuration.startAt = .latest
        try await run(configuration) { daemon in
            try await eventually("it is pinned") { try daemon.journal.status(of: "a") == .inProcessing }
        }
        return configuration
    }

    func loss(of shard: String = "a") throws -> Loss? {
        try journal { try $0.checkpoint(of: Sample.key(shard))?.loss }
    }

    func events(_ kind: String) throws -> [Event] {
        try journal { try $0.everything().filter { $0.payload.kind == kind } }
    }
}
