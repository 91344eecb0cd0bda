import Journal
import StreamModel
import Testing

@Suite("Appends of another process")
struct ForeignAppendsTests {
    private let started = RunStarted(role: "test", version: "0", host: "here", pid: 1)

    private func key(_ shard: String) -> ShardKey {
        ShardKey(table: TableName("orders"), stream: StreamARN("arn:orders"), shard: ShardID(shard))
    }

    private func discovered(_ shard: String) -> Draft {
        Draft(
            shard: key(shard), expecting: .none,
            [.shardDiscovered(ShardDiscovered(parent: nil, range: SequenceRange(), start: .trimHorizon))])
    }

    @Test("What another appended is named, also when an append of one's own has met it before")
    func namedAfterOwnAppend() async throws {
        let path = "/tmp/shake-foreign-\(UInt64.random(in: .min ... .max))"
        let daemon = try Journal.open(path, .daemon(started))
        _ = try await daemon.append([discovered("idle"), discovered("busy")])
        let steward = try Journal.open(path, .steward(started))
        let fault = Payload.faulted(Faulted(code: "Test", message: "", isRetried: true))
        _ = try await steward.append([Draft(shard: key("idle"), expecting: Revision(1), [fault])])
        _ = try await daemon.append([Draft(shard: key("busy"), expecting: Revision(1), [fault])])
        #expect(try await daemon.foreignAppends() == [.shard(key("idle"))])
        #expect(try await daemon.foreignAppends().isEmpty)
        await steward.close(reason: "test")
        await daemon.close(reason: "test")
    }
}
