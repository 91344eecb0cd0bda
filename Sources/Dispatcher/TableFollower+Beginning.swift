internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel
internal import Targets

/// What is looked at before a table is scanned or followed: the table, its place in the target, what is lost of it.
extension TableFollower {
    /// Whether changes of the table are lost that no full sync has made good for since.
    func hasSkippedALoss(_ state: TableState?) throws(JournalError) -> Bool {
        let copied = state?.fullSync.map { Timestamp(microseconds: Int64(bitPattern: $0.number)) }
        return try workshop.journal.checkpoints().contains { checkpoint in
            guard checkpoint.shard.table == table else { return false }
            let lost = [checkpoint.lossDeclared, checkpoint.loss?.time].compactMap(\.self).max()
            guard let lost else { return false }
            return copied.map { $0 < lost } ?? true
        }
    }

    /// What lies in the table's place, where the journal knows nothing of the table, is an operator's to decide about.
    func beginInTarget(_ state: TableState?) async throws {
        guard state?.phase == nil, try !workshop.journal.checkpoints().contains(where: { $0.shard.table == table })
        else { return }
        let done: String?
        do throws(TargetError) { done = try await workshop.target.begin(table) } catch { throw ofThisTable(error) }
        if let done { log.notice("\(done)", metadata: ["target": "\(workshop.target.name)"]) }
    }

    /// The target was opened, and takes other tables.
    private func ofThisTable(_ error: TargetError) -> DaemonError {
        guard case .misconfigured(let target, let reason) = error else { return .target(error) }
        return .misconfigured(what: "table \(table) in target \(target)", reason: reason)
    }

    /// A table that another program has filled lies where that has put it, or the journal is not of this target. (With `--mode incr`
    /// only changes are wanted, wherever they go.)
    func findImported(_ state: TableState?) async throws {
        guard workshop.configuration.mode != .incr, let state, state.fullSync == nil,
            try workshop.journal.checkpoints().contains(where: { $0.shard.table == table && $0.importedSince != nil }),
            !(try await workshop.target.hasPlace(for: table))
        else { return }
        throw DaemonError.imported(table, missingIn: workshop.target.name)
    }

    func prepare(_ description: TableDescription) async throws {
        let target = workshop.target
        guard target.copiesDesign else {
            do throws(TargetError) { try await target.prepare(description.schema) } catch { throw ofThisTable(error) }
            return
        }
        let design = try await workshop.source.design(of: description)
        for unread in design.unread {
            log.warning("a part of the table can't be read, and is not copied", metadata: ["part": "\(unread)"])
        }
        do throws(TargetError) { try await target.prepare(description.schema, like: design) } catch {
            throw ofThisTable(error)
        }
        for remark in await target.takeRemarks() {
            log.warning("\(remark)", metadata: ["target": "\(target.name)"])
        }
    }

    /// The table as it is once it is no more being created; `nil` where the daemon is to stop before that.
    func describe() async throws -> TableDescription? {
        var backoff = Backoff(first: .milliseconds(500), maximum: .seconds(5))
        while true {
            let description = try await workshop.source.describeTable(table)
            guard description.status == "CREATING" else { return description }
            log.info("the table is being created; waiting for it")
            workshop.vitals.waits(table, "it is being created (CREATING), and followed as soon as it is there")
            guard await workshop.wait(backoff.next(jitter: workshop.random())) else { return nil }
        }
    }
}
