internal import Dispatch
internal import StreamModel

/// What a compaction did, or would do.
package struct CompactReport: Hashable, Sendable {
    /// Events that were folded together with others.
    package internal(set) var folded: UInt64 = 0
    /// How much less the log holds. LMDB uses the room again, and gives none back to the disk.
    package internal(set) var freedBytes: Int64 = 0
    /// Up to there the log is as it will stay.
    package internal(set) var position = Position.origin

    mutating func add(_ step: Compactor.Step) {
        folded += step.events
        freedBytes += step.bytes
        position = step.position
    }
}

extension Journal {
    /// The share of the time that a compaction may take from whoever appends.
    private static let pause: Duration = .milliseconds(1)

    /// Folds the advances together that are older than 48 hours, and all ordinary events older than a week of shards that are
    /// over (or as `policy` says), in short transactions with pauses between them: appends go on, and each transaction leaves a whole journal. Returns early where the task is cancelled or the journal closed.
    ///
    /// - Parameter progress: called after each transaction.
    package func compact(
        _ policy: FoldPolicy = FoldPolicy(), progress: (CompactReport) -> Void = { _ in }
    ) async throws(JournalError) -> CompactReport {
        var compactor = Compactor(store, now: surroundings.now(), policy)
        var report = CompactReport()
        while !Task.isCancelled, !hasClosed {
            let began = surroundings.uptime()
            let step = try await offTheirThreads(&compactor)
            report.add(step)
            progress(report)
            await surroundings.passing(.duringCompaction)
            guard !step.isLast else { break }
            // As long as it had the journal for itself, whoever waits for it has it now.
            do { try await surroundings.sleep(for: max(Self.pause, surroundings.uptime() - began)) } catch { break }
        }
        return report
    }

    /// What `compact` would do now.
    package func compactable(
        _ policy: FoldPolicy = FoldPolicy(), progress: (CompactReport) -> Void = { _ in }
    ) throws(JournalError) -> CompactReport {
        var compactor = Compactor(store, now: surroundings.now(), policy)
        var report = CompactReport()
        while true {
            let step = try compactor.dryStep()
            report.add(step)
            progress(report)
            guard !step.isLast else { return report }
        }
    }

    /// A transaction waits for other processes and for the disk, and must hold none of Swift's threads meanwhile.
    private func offTheirThreads(_ compactor: inout Compactor) async throws(JournalError) -> Compactor.Step {
        if isInline { return try compactor.step() }
        let before = compactor
        let (after, result): (Compactor, Result<Compactor.Step, JournalError>) = await withCheckedContinuation {
            continuation in
            DispatchQueue.global(qos: .utility).async {
                var compactor = before
                do throws(JournalError) {
                    let step = try compactor.step()
                    continuation.resume(returning: (compactor, .success(step)))
                } catch {
                    continuation.resume(returning: (compactor, .failure(error)))
                }
            }
        }
        compactor = after
        return try result.get()
    }
}
