import ArgumentParser
import Foundation
import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("Dead letters are tried again")
struct DeadLettersCommandTests {
    private static let run = RunStarted(role: "daemon", version: "1", host: "tests", pid: 1)

    /// A shard that was read up to `end`, with the record at `letter` put aside.
    private func read(_ shard: String, parent: String?, letter: String, end: String, isDone: Bool) -> Draft {
        let done: [Payload] =
            isDone ? [.statusChanged(StatusChanged(from: .inProcessing, to: .done, reason: "read to its end"))] : []
        return Draft(
            shard: Sample.key(shard), expecting: .none,
            [
                .shardDiscovered(
                    ShardDiscovered(
                        parent: parent.map { ShardID($0) }, range: SequenceRange(starting: nil, ending: nil),
                        start: .trimHorizon)),
                .statusChanged(StatusChanged(from: .notProcessed, to: .inProcessing, reason: "taken up")),
                .recordRefused(
                    RecordRefused(
                        sequenceNumber: Sample.number(letter), code: "TargetUnwritable", cause: "no", offset: 0,
                        bytes: 1)),
                .sequenceAdvanced(
                    SequenceAdvanced(
                        sequenceNumber: Sample.number(end), records: 5, bytes: 5, approximateTime: nil, targetToken: nil
                    )
                ),
            ] + done)
    }

    /// parent ─▶ child, and a letter of each: what sets the parent back sets the child back to its start.
    @Test("Those of a parent and its child together, and once more while they are still to come")
    func lineage() async throws {
        let path = NSTemporaryDirectory() + "/shakectl-letters-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let daemon = try Journal.open(path, .daemon(Self.run), mapSize: 16 << 20)
        _ = try await daemon.append([read("parent", parent: nil, letter: "5", end: "9", isDone: true)])
        _ = try await daemon.append([read("child", parent: "parent", letter: "15", end: "19", isDone: false)])
        await daemon.close(reason: "the test goes on")

        for _ in 1...2 {
            let retry = try DeadLettersCommand.Retry.parse(["--all", "--offline", "--json", "--journal", path])
            try await retry.run()
            let journal = try Journal.open(path, .reader, mapSize: 16 << 20)
            let parent = try #require(try journal.checkpoint(of: Sample.key("parent")))
            let child = try #require(try journal.checkpoint(of: Sample.key("child")))
            #expect(parent.sequenceNumber == Sample.number("5") && parent.iteratorType == .atSequenceNumber)
            #expect(child.sequenceNumber == nil && child.status == .waitingForParent)
            #expect(parent.epoch.number == 1 && child.epoch.number == 1, "each was set back once")
        }
    }

    /// Set back before its letter, and then gone from the stream.
    @Test("One of a shard that never comes to it again is left with all, and refused by its number")
    func outOfReach() async throws {
        let path = NSTemporaryDirectory() + "/shakectl-letters-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let daemon = try Journal.open(path, .daemon(Self.run), mapSize: 16 << 20)
        let read = try #require(
            try await daemon.append([read("gone", parent: nil, letter: "5", end: "9", isDone: false)]).first?.checkpoint
        )
        _ = try await daemon.append([
            Draft(
                shard: read.shard, expecting: read.revision,
                [
                    .rewound(
                        Rewound(
                            from: Sample.number("9"), to: Sample.number("2"), inclusive: false, reason: "", author: "",
                            cascadeRoot: nil, epoch: Epoch(1))),
                    .statusChanged(StatusChanged(from: .prepared, to: .lost, reason: "gone from the stream unread")),
                ])
        ])
        let letter = try #require(try daemon.waitingLetters().first)
        await daemon.close(reason: "the test goes on")

        try await DeadLettersCommand.Retry.parse(["--all", "--offline", "--journal", path]).run()
        let named = try DeadLettersCommand.Retry.parse(["\(letter.position)", "--offline", "--journal", path])
        let error = await #expect(throws: ShakectlError.self) { try await named.run() }
        #expect(error?.description.contains("which is lost and comes to it no more") == true)
        #expect(error?.exitCode == 64)
        let journal = try Journal.open(path, .reader, mapSize: 16 << 20)
        #expect(try journal.checkpoint(of: read.shard)?.epoch == Epoch(1), "nothing was set back")
        #expect(try journal.waitingLetters().map(\.position) == [letter.position])
    }
}
