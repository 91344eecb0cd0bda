internal import Journal
internal import StreamModel
internal import StreamSim
internal import Targets

/// What must hold whenever nobody runs.
extension World {
    /// Asked after each life, however it ended.
    ///
    /// - Parameter isSettled: the daemon came to rest with nothing failing, so that recovery is behind it.
    package func violationsAtRest(in folder: String, isSettled: Bool) -> [String] {
        guard let journal = try? Journal.open(folder, .reader, mapSize: DaemonProcess.mapSize) else { return [] }
        if isSettled { endRestoring() }
        do throws(JournalError) {
            _ = try journal.verify { _ in }
            let checkpoints = try journal.checkpoints()
            for checkpoint in checkpoints { try learnAnchor(of: checkpoint, journal) }
            return isRestoring ? [] : unfounded(checkpoints, journal)
        } catch {
            return ["the journal at rest: \(error)"]
        }
    }

    /// Asked at the end, when everything has come that was to come.
    package func finalViolations(in folder: String) -> [String] {
        guard let journal = try? Journal.open(folder, .reader, mapSize: DaemonProcess.mapSize),
            let checkpoints = try? journal.checkpoints()
        else { return ["the journal can't be opened at the end"] }
        var found = lost(journal)
        for checkpoint in checkpoints where checkpoint.loss != nil {
            note("loss: \(checkpoint.loss?.lost.cause.rawValue ?? "")")
            // An operator who doesn't ask the source first may rewind to what it has forgotten.
            if !stoodStill, !rewinds {
                found.append("\(checkpoint.shard): a loss is declared, though somebody read all the time")
            }
        }
        for schema in schemas {
            // What the stream has forgotten makes a difference until the items change again.
            if hasExcused(of: schema.name, journal) { continue }
            // What was there before the daemon was told to begin at the newest record is not its to bring.
            if beginsAtLatest { continue }
            let expected = source { service, _ in service.items(of: schema.name.text) }
            let held = disk { disk in
                disk.rows.filter { $0.key.table == schema.name && $0.value.image != nil }
            }
            if expected.count != held.count {
                found.append("\(schema.name): the source has \(expected.count) items, and the target \(held.count)")
            }
            let different = expected.count { item in
                guard let id = itemID(of: item, schema) else { return true }
                return held[id]?.image != item
            }
            if different > 0 { found.append("\(schema.name): \(different) items differ") }
        }
        return found + repeated()
    }

    /// A file holds each record once, unless it was read again on purpose.
    private func repeated() -> [String] {
        guard kind == .file else { return [] }
        return disk { disk in
            var seen: [Disk.Origin: UInt64] = [:]
            var found: [String] = []
            for entry in disk.log {
                guard case .shard(let shard, let epoch, _) = entry.origin else { continue }
                for change in entry.changes.compactMap(\.row.change) {
                    if let before = seen[change], before >= epoch.number {
                        found.append("\(shard): record \(change.number) is twice in the file")
                    }
                    seen[change] = epoch.number
                }
            }
            return Array(found.prefix(3))
        }
    }

    /// Where a shard was anchored at LATEST, what is before that is not owed.
    private func learnAnchor(of checkpoint: Checkpoint, _ journal: Journal) throws(JournalError) {
        if checkpoint.status == .notNeeded {
            return owe(checkpoint.shard, from: truth { $0.shards[checkpoint.shard]?.records.count ?? 0 })
        }
        let query = HistoryQuery(kinds: ["iterator_resolved", "status_changed"], newestFirst: true)
        for event in try journal.history(of: checkpoint.shard, query) {
            // The scan that follows holds what the shard had.
            if case .statusChanged(let change) = event.payload, change.reason.hasPrefix("closed or gone") {
                return owe(checkpoint.shard, from: truth { $0.shards[checkpoint.shard]?.records.count ?? 0 })
            }
            guard case .iteratorResolved(let resolved) = event.payload, let iterator = resolved.iterator,
                let count = anchored(at: iterator)
            else { continue }
            return owe(checkpoint.shard, from: count)
        }
    }
}
