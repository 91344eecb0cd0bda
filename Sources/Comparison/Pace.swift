internal import Dispatcher
internal import StreamModel
internal import Targets

/// Keeps the reads of the source within a rate, and waits out a target that is out of reach for a while.
actor Pace {
    private var pacing: ScanPacing?
    private let surroundings: Surroundings
    /// How often a target that is out of reach is asked again before the comparison ends: some two minutes.
    private static let tries = 10

    init(unitsPerSecond: Double?, _ surroundings: Surroundings) {
        self.surroundings = surroundings
        pacing = unitsPerSecond.map { ScanPacing(rate: $0, now: surroundings.uptime()) }
    }

    /// A read of the source and what it has cost, in read capacity units.
    nonisolated func paced<R: Sendable>(_ read: () async throws -> (R, cost: Double)) async throws -> R {
        guard let estimate = try await turn() else { return try await read().0 }
        do {
            let (result, cost) = try await read()
            await settle(estimate, cost)
            return result
        } catch {
            await settle(estimate, nil)
            throw error
        }
    }

    private func turn() async throws -> Double? {
        guard let (wait, estimate) = pacing?.ask(at: surroundings.uptime()) else { return nil }
        if wait > .zero { try await surroundings.sleep(for: wait) }
        return estimate
    }

    private func settle(_ estimate: Double, _ cost: Double?) {
        pacing?.settle(estimate, cost: cost, at: surroundings.uptime())
    }

    nonisolated func retrying<R>(_ body: () async throws(TargetError) -> R) async throws -> R {
        var backoff = Backoff()
        while true {
            do throws(TargetError) { return try await body() } catch {
                guard error.isRetryable, backoff.failures < Self.tries else { throw ComparisonError.target(error) }
                try await surroundings.sleep(for: backoff.next(jitter: surroundings.random()))
            }
        }
    }
}
