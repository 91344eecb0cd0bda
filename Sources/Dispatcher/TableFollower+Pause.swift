internal import Journal
internal import StreamModel

/// What an operator says of a table while nothing of it is followed.
extension TableFollower {
    func isPaused() throws(JournalError) -> Bool { try workshop.journal.table(table)?.pause != nil }

    /// Returns once the table is not paused; `false` where the daemon is to stop.
    func waitForResumption() async throws(JournalError) -> Bool {
        while !workshop.stop.hasFired, !Task.isCancelled {
            guard try isPaused() else { return true }
            workshop.pulse.atRest(table)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await foreign.arrival() }
                group.addTask { await workshop.stop.wait() }
                await group.next()
                group.cancelAll()
            }
            _ = foreign.take()
        }
        return false
    }

    /// `--mode full`: the scan, and nothing beside it.
    func scanAlone(_ scan: FullSync, _ stream: StreamARN) async throws -> Ending {
        while try await waitForResumption() {
            guard try workshop.journal.table(table)?.fullSync == scan.id else { return .beginsAgain }
            workshop.pulse.busy(table)
            let current = scan.halting(on: Signal())
            async let _ = listen(current)
            guard try await current.run(try workshop.journal.table(table)) else { continue }
            return try await finish(scan, stream) ? .stopped : .beginsAgain
        }
        return .stopped
    }

    /// Halts a scan once an operator pauses its table, or asks for another one.
    private func listen(_ scan: FullSync) async {
        while true {
            await foreign.arrival()
            guard !foreign.take().isEmpty else { return }
            guard let state = try? workshop.journal.table(table) else { continue }
            if state.pause != nil || state.fullSync != scan.id { return scan.halt.fire() }
        }
    }
}
