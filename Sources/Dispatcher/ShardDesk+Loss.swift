internal import DynamoDB
internal import Journal
internal import Logging
internal import StreamModel

/// What is done about what the stream no longer has.
extension ShardDesk {
    /// What is lost again as soon as this after a loss was skipped is the same loss.
    private static let sameLoss: Duration = .seconds(60)

    /// Declares that the stream no longer has what the shard needs, and does as the table's policy says.
    ///
    /// - Throws: `DaemonError.rangeLost` where the table can't go on as it is.
    mutating func lose(_ shard: ShardID, _ cause: LossCause, _ detail: String) async throws -> Next {
        try reload()
        guard let checkpoint = lineage.checkpoints[shard], !checkpoint.status.letsChildrenStart else { return .nothing }
        let policy = checkpoint.loss?.remedy ?? (wasJustSkipped(checkpoint) ? .skip : standing)
        let lost = RangeLost(
            cause: cause, from: checkpoint.sequenceNumber, to: await firstLeft(of: checkpoint, cause),
            since: checkpoint.accounted, policy: policy, detail: detail)
        // A table that is begun again meets what stopped it again, and has said so.
        let isKnown = checkpoint.loss.map { $0.stops && $0.lost.cause == cause } ?? false
        if !isKnown || policy != .stop {
            var payloads: [Payload] = [.rangeLost(lost)]
            if policy == .skip, cause == .shardGone {
                payloads.append(
                    .statusChanged(
                        StatusChanged(from: checkpoint.status, to: .lost, reason: "gone from the stream unread")))
            }
            var drafts = [Draft(shard: checkpoint.shard, expecting: checkpoint.revision, payloads)]
            switch policy {
            case .stop: if cause == .stoodStill { drafts += try stopsWith(shard) }
            case .skip: break
            case .resync:
                let next = lost.fullSync(of: shard, after: try workshop.journal.table(schema.name))
                drafts += resyncsWith(shard) + [Draft(table: schema.name, [.phaseChanged(next)])]
            }
            guard try await append(drafts) else { return .nothing }
        }
        let error = DaemonError.rangeLost(table: schema.name, shard: shard, lost)
        guard policy == .skip else { throw error }
        workshop.skipped.note(schema.name)
        log(shard).error("\(error)")
        return cause == .shardGone ? .findChildren : .nothing
    }

    /// What is done where nobody has said anything else.
    var standing: LossPolicy { workshop.configuration.onLoss[schema.name] }

    /// Whether what is lost is what the loss before it spoke of: there it was said how to go on.
    private func wasJustSkipped(_ checkpoint: Checkpoint) -> Bool {
        checkpoint.lossDeclared.map { workshop.now() - $0 < Self.sameLoss } ?? false
    }

    /// The oldest record that the stream still has of a shard, as far as it says so soon: nobody waits for it long.
    private func firstLeft(of checkpoint: Checkpoint, _ cause: LossCause) async -> SequenceNumber? {
        guard cause != .shardGone else { return checkpoint.range.ending }
        return await workshop.within(.seconds(5)) { [source = workshop.source, shard = checkpoint.shard] in
            guard let iterator = try? await source.iterator(.trimHorizon, at: nil, shard: shard),
                let page = try? await source.rawRecords(
                    at: iterator, limit: 1, onFailure: {}, onNext: { _, _ in }
                ).parsed()
            else { return nil }
            return page.changes.first?.sequenceNumber
        }
    }

    /// Whether every shard that is known was read to its end, or needs no reading.
    var hasNothingLeft: Bool { lineage.checkpoints.values.allSatisfy { $0.status.letsChildrenStart } }

    /// What is done where the service says that what comes after the checkpoint has left the stream.
    mutating func trimmed(_ checkpoint: Checkpoint, _ answer: DaemonError) async throws -> Next {
        let shard = checkpoint.shard.shard
        if isAccountedFor(checkpoint) {
            // Its last record has left the stream, and nothing but that: what is there comes after it.
            guard atHorizon.insert(shard).inserted else { return .rest(because: answer) }
            return .nothing
        }
        // The horizon moves on, and a source may say so of everything: the loss that was just declared covers it.
        if wasJustSkipped(checkpoint) { return .rest(because: answer) }
        // Records that leave the stream before we could first ask for them were never ours to bring.
        if try holdsAllSinceAnchor(checkpoint) || isReplay(checkpoint) || neverWasOurs(checkpoint) {
            return .rest(because: answer)
        }
        return try await lose(shard, .trimmed, "\(answer)")
    }

    /// Whether all that was made until less than a day ago is in the target, though the checkpoint's own record is older.
    private func isAccountedFor(_ checkpoint: Checkpoint) -> Bool {
        guard checkpoint.sequenceNumber != nil, let until = checkpoint.accountedUntil else { return false }
        return workshop.now() - until < Recovery.surelyHeld
    }

    /// What a shard that ended after a long silence says for its children: an idle table rolls its shards over every few
    /// hours, and none of them may ever have a record.
    func lastWord(_ result: ShardReader.Result) -> [Payload] {
        guard let vouched = result.vouched else { return [] }
        if let known = result.checkpoint.accounted, vouched - known < Silence.worthSaying { return [] }
        return [.inStep(InStep(until: vouched))]
    }
}
