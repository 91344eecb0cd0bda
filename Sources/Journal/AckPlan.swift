package import StreamModel

/// What an operator says of a table's losses.
package struct AckRequest: Sendable {
    package var table: TableName
    /// How the table goes on where it stopped for them; `nil`: only that they were seen.
    package var remedy: LossPolicy?
    package var reason: String
    package var author: String

    package init(table: TableName, remedy: LossPolicy?, reason: String, author: String) {
        self.table = table
        self.remedy = remedy
        self.reason = reason
        self.author = author
    }
}

/// Why losses can't be acknowledged in this way.
package enum AckRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// A remedy for what stopped nothing.
    case notStopped(TableName, LossPolicy)
    /// A scan, where the daemon never makes one.
    case neverScanned(TableName)

    package var description: String {
        switch self {
        case .notStopped(let table, let policy):
            "the table \(table) is not stopped by what it lost (\(policy.rawValue)): `shakectl ack \(table)` alone takes note of it"
        case .neverScanned(let table):
            "the table \(table) can't be scanned again: the daemon of this journal runs with --mode incr, or did so last, which "
                + "only follows. Start it with --mode all, where the table stops again, and then say --resync; or go on without "
                + "what is lost: `shakectl ack \(table) --skip`"
        }
    }
}

/// What an acknowledgement of a table's losses appends: decided from what the journal knows alone.
package struct AckPlan: Hashable, Sendable {
    package struct Step: Hashable, Sendable {
        /// `nil`: it is the whole table's.
        package let shard: ShardKey?
        package let before: Loss
        package let after: Loss
    }

    /// The table's own first, then its shards' in the order of their names.
    package let steps: [Step]
    /// One append: all or nothing.
    package let drafts: [Draft]

    /// - Parameters:
    ///   - checkpoints: all of the journal, or at least all of the table.
    ///   - isScanned: whether the daemon would scan a table; a word that it can't follow would stop the table for good.
    package static func make(
        _ request: AckRequest, of state: TableState?, among checkpoints: [Checkpoint], isScanned: Bool
    ) throws(AckRefusal) -> AckPlan {
        let ofShards = checkpoints.filter { $0.shard.table == request.table }.sorted { $0.shard < $1.shard }
            .compactMap { checkpoint in checkpoint.loss.map { Known(checkpoint: checkpoint, loss: $0) } }
        let known = (state?.loss.map { [Known(checkpoint: nil, loss: $0)] } ?? []) + ofShards
        if let remedy = request.remedy, let first = known.first {
            guard known.contains(where: \.loss.takesRemedy) else {
                throw .notStopped(request.table, first.loss.lost.policy)
            }
            if remedy == .resync, !isScanned { throw .neverScanned(request.table) }
        }
        let open = known.filter { !$0.loss.isAcknowledged || request.remedy != nil && $0.loss.takesRemedy }
        return AckPlan(steps: open.map { $0.step(request) }, drafts: open.map { $0.draft(request) })
    }

    private struct Known {
        let checkpoint: Checkpoint?
        let loss: Loss

        func step(_ request: AckRequest) -> Step {
            var after = loss
            after.isAcknowledged = true
            after.remedy = remedy(request) ?? loss.remedy
            return Step(shard: checkpoint?.shard, before: loss, after: after)
        }

        func draft(_ request: AckRequest) -> Draft {
            let word = Payload.lossAcknowledged(
                LossAcknowledged(author: request.author, reason: request.reason, remedy: remedy(request)))
            guard let checkpoint else { return Draft(table: request.table, [word]) }
            return Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [word])
        }

        private func remedy(_ request: AckRequest) -> LossPolicy? { loss.takesRemedy ? request.remedy : nil }
    }
}
