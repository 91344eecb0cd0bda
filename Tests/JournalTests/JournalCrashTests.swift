import Foundation
import Glibc
import StreamModel
import Synchronization
import TestSupport
import Testing

@testable import Journal

@Suite("A journal whose process is killed")
struct JournalCrashTests {
    private let scratch = Scratch()

    @Test("What was acknowledged is there after SIGKILL at any moment, and the journal is whole", arguments: Seeds.all)
    func killed(seed: UInt64) async throws {
        let (path, acknowledged) = (scratch.journal, scratch.path + "/acknowledged")
        var expected: [Int: Int] = [:]
        for round in 0..<4 {
            try File.write([], to: acknowledged)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, acknowledged = acknowledged as String, seed = seed &+ UInt64(round) as UInt64]
                in
                try await JournalCrashTests.appendUntilKilled(path, acknowledged, seed: seed)
            }
            for line in File.text(acknowledged).split(separator: "\n") {
                let words = line.split(separator: " ").compactMap { Int($0) }
                guard words.count == 2 else { continue }  // the line that it died in
                expected[words[0]] = max(expected[words[0]] ?? 0, words[1])
            }
            guard FileManager.default.fileExists(atPath: path) else { continue }
            try await Journal.use(path) { journal in
                for (shard, number) in expected {
                    let found = try journal.checkpoint(of: Sample.key(shard))?.sequenceNumber
                    #expect(try #require(found) >= Sample.number(number), "SHAKE_SEED=\(seed), shard \(shard)")
                }
                _ = try journal.verified()
            }
        }
        #expect(!expected.isEmpty)
    }

    private final class Count: Sendable {
        let acknowledged = Atomic(0)
    }

    /// Eight appenders, each of which writes down what it was told is durable; killed in the midst of it.
    private static func appendUntilKilled(_ path: String, _ acknowledged: String, seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let file = unsafe open(acknowledged, O_WRONLY | O_APPEND)
        let limit = Int.random(in: 0...400, using: &random)
        let turns = Int.random(in: 0...20_000, using: &random)
        let count = Count()
        // A thread of its own, so that it strikes at any instruction of the others.
        Thread.detachNewThread { [count, limit, turns] in
            while count.acknowledged.load(ordering: .relaxed) < limit { sched_yield() }
            // On a machine with much to do a turn takes long, and the appenders come to an end.
            for _ in 0..<turns where count.acknowledged.load(ordering: .relaxed) < 10_000 { sched_yield() }
            kill(getpid(), SIGKILL)
        }
        let journal = try Journal.open(path, .daemon(Sample.daemon), mapSize: 1 << 20)
        for shard in 1...8 where try journal.checkpoint(of: Sample.key(shard)) == nil {
            try await journal.add(shard, [.discovered()] + Payload.takenUp)
        }
        await withThrowingTaskGroup { group in
            for shard in 1...8 {
                group.addTask { @concurrent in
                    let known = try journal.checkpoint(of: Sample.key(shard))?.sequenceNumber
                    var number = known.flatMap { Int($0.text.suffix(4)) }.map { $0 - 1000 } ?? 0
                    while number < 8000 {
                        number += 1
                        try await journal.add(shard, .advanced(number))
                        let line = Array("\(shard) \(number)\n".utf8)
                        _ = unsafe write(file, line, line.count)
                        count.acknowledged.add(1, ordering: .relaxed)
                    }
                }
            }
        }
    }

    @Test("A daemon killed while it makes the journal leaves one that opens, or none")
    func killedAtBirth() async throws {
        for seed in 0..<6 as Range<UInt64> {
            let path = "\(scratch.path)/born\(seed)"
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, seed = seed as UInt64] in
                var random = SeededGenerator(seed: seed)
                let turns = Int.random(in: 0...3000, using: &random)
                Thread.detachNewThread { [turns] in
                    for _ in 0..<turns { sched_yield() }
                    kill(getpid(), SIGKILL)
                }
                let journal = try Journal.open(path, .daemon(Sample.daemon), mapSize: 1 << 20)
                while true { try await journal.add(1, .discovered()) }
            }
            try await Journal.use(path) { _ = try $0.verified() }
        }
    }
}
