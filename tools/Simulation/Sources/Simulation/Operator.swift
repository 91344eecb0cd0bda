internal import Journal
internal import StreamModel
internal import StreamSim

/// What `shakectl rewind` does, as a process of its own beside the daemon or without one.
struct Operator: Sendable {
    private let world: World
    private let folder: String

    init(_ world: World, in folder: String) {
        self.world = world
        self.folder = folder
    }

    /// Rewinds some shard that has come somewhere to some place before that.
    ///
    /// - Returns: what was done, or why it was refused; `nil` where there is nothing to rewind.
    func rewind(_ chance: inout Chance) async -> String? {
        let journal: Journal
        let surroundings = world.surroundings(of: Life())
        do throws(JournalError) {
            journal = try Journal.open(
                folder, .steward(RunStarted(role: "rewind", version: "0", host: "simulated", pid: 2)),
                mapSize: DaemonProcess.mapSize, surroundings: surroundings, isInline: true)
        } catch {
            if case .noJournal = error { return nil }
            world.violate("an operator can't open the journal: \(error)")
            return nil
        }
        let outcome: String?
        do {
            outcome = try await rewind(journal, surroundings, &chance)
        } catch {
            outcome = "refused: \(error)"
            world.note("operator: rewind refused")
        }
        await journal.close(reason: "done")
        return outcome
    }

    private func rewind(
        _ journal: Journal, _ surroundings: Surroundings, _ chance: inout Chance
    ) async throws -> String? {
        let begun = try journal.checkpoints().filter { $0.sequenceNumber != nil }
        guard !begun.isEmpty else { return nil }
        let shard = chance.pick(begun).shard
        let (fraction, toStart, isInclusive) = (chance.unit(), chance.percent(20), chance.percent(30))
        for _ in 0..<5 {
            let checkpoints = try journal.checkpoints()
            guard let current = checkpoints.first(where: { $0.shard == shard }), let number = current.sequenceNumber,
                let place = place(before: number, of: shard, fraction, toStart: toStart)
            else { return nil }
            let request = RewindRequest(
                place: place, inclusive: isInclusive, reason: "simulated", author: "operator@simulated")
            let plan = try RewindPlan.make(request, of: shard, among: checkpoints)
            do throws(JournalError) {
                await surroundings.passing(.inRewind)
                _ = try await journal.append(plan.drafts)
                world.note("operator: rewind")
                if !plan.cascaded.isEmpty { world.note("operator: rewind with a cascade") }
                return "of \(shard) from \(number) to \(plan.to?.text ?? "its start"), with \(plan.cascaded.count) more"
            } catch {
                guard case .conflict = error else { throw error }
                world.note("operator: rewind overtaken by an append")
            }
        }
        return "of \(shard) was overtaken each time"
    }

    /// A record at or before `number`, or the shard's start.
    private func place(
        before number: SequenceNumber, of shard: ShardKey, _ fraction: Double, toStart: Bool
    ) -> RewindRequest.Place? {
        return world.truth { truth in
            guard let log = truth.shards[shard], let last = log.places[number] else { return nil }
            return toStart ? .start : .sequenceNumber(log.records[Int(Double(last + 1) * fraction)].number)
        }
    }
}
