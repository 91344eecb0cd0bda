import Foundation
import StreamModel
import TestSupport

@testable import Journal

extension Compactor {
    /// Compacts, as one process, beside appends to a shard, until a thread of its own strikes at any instruction of the others.
    static func runUntilKilled(_ path: String, _ now: Timestamp, seed: UInt64, beside shard: Int) async throws {
        var random = SeededGenerator(seed: seed)
        let turns = Int.random(in: 0...4000, using: &random)
        // One that looks at one event at a time folds none, and what is looked at is decided: how far it got would count.
        let limit = Int.random(in: 8...40, using: &random)
        let journal = try Journal.open(path, .daemon(Sample.daemon), mapSize: 64 << 20)
        Thread.detachNewThread { [turns] in
            for _ in 0..<turns { sched_yield() }
            kill(getpid(), SIGKILL)
        }
        Thread.detachNewThread { [journal, now, limit] in
            var compactor = Compactor(journal.store, now: now, limit: limit)
            while true { _ = try? compactor.step() }
        }
        while true { try await journal.add(shard, .faulted()) }
    }
}
