import StreamModel
import Synchronization

@testable import Journal

/// A wall clock that a test sets, and waits that take no time.
final class Ticking: Sendable {
    private let time = Mutex(Sample.noon)
    private let passed = Mutex<@Sendable () async -> Void>({})

    var now: Timestamp { time.withLock { $0 } }

    func advance(_ seconds: Int) { time.withLock { $0 = $0 + .seconds(seconds) } }

    /// Called whenever a compaction passes its crash point.
    func duringCompaction(_ body: @escaping @Sendable () async -> Void) { passed.withLock { $0 = body } }

    var surroundings: Surroundings {
        Surroundings(
            clock: NoWait(), now: { self.now },
            passing: { point in
                if point == .duringCompaction { await self.passed.withLock { $0 }() }
            })
    }

    private struct NoWait: Clock {
        var now: ContinuousClock.Instant { ContinuousClock.now }
        var minimumResolution: Duration { .zero }
        func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
            try Task.checkCancellation()
        }
    }
}

extension Journal {
    /// Opens, lends and closes a journal that lives by `clock`, each append in a transaction of its own.
    @discardableResult
    static func use<R>(
        _ path: String, _ clock: Ticking, _ access: Access = .daemon(Sample.daemon), mapSize: Int = 64 << 20,
        _ body: (Journal) async throws -> R
    ) async throws -> R {
        let journal = try open(path, access, mapSize: mapSize, surroundings: clock.surroundings, isInline: true)
        do {
            let result = try await body(journal)
            await journal.abandon()
            return result
        } catch {
            await journal.abandon()
            throw error
        }
    }

    /// Folds all that is old, with so many entries a transaction.
    @discardableResult
    func compactAll(_ now: Timestamp, limit: Int) throws -> CompactReport {
        var compactor = Compactor(store, now: now, limit: limit)
        var report = CompactReport()
        while true {
            let step = try compactor.step()
            report.add(step)
            guard !step.isLast else { return report }
        }
    }
}
