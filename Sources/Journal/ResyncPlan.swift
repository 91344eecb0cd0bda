package import StreamModel

/// An operator's word that a table is to be scanned in full again.
package struct ResyncRequest: Sendable {
    package var table: TableName
    package var reason: String
    package var author: String

    package init(table: TableName, reason: String, author: String) {
        self.table = table
        self.reason = reason
        self.author = author
    }

    /// As the table's phase says it.
    fileprivate var why: String { "\(author) asked for it" + (reason.isEmpty ? "" : ": \(reason)") }
}

/// What asking for another full sync appends: decided from what the journal knows alone.
package struct ResyncPlan: Hashable, Sendable {
    /// The phase before.
    package let from: Phase?
    /// Losses for which the table stands still, and which the scan is the answer to.
    package let losses: [AckPlan.Step]
    /// One append: all or nothing.
    package let drafts: [Draft]

    /// - Parameters:
    ///   - checkpoints: all of the journal, or at least all of the table.
    ///   - isScanned: whether the daemon would scan a table; a word that it can't follow would stop the table for good.
    package static func make(
        _ request: ResyncRequest, of state: TableState?, among checkpoints: [Checkpoint], isScanned: Bool
    ) throws(AckRefusal) -> ResyncPlan {
        guard isScanned else { throw .neverScanned(request.table) }
        let losses =
            [state?.loss].compactMap(\.self)
            + checkpoints.filter { $0.shard.table == request.table }.compactMap(\.loss)
        guard losses.contains(where: \.takesRemedy) else {
            let change = PhaseChanged(from: state?.phase, to: .fullSync, stream: state?.stream, reason: request.why)
            return ResyncPlan(
                from: state?.phase, losses: [], drafts: [Draft(table: request.table, [.phaseChanged(change)])])
        }
        // The daemon that takes the word up says what follows from it: a second full sync beside that would begin it twice.
        let word = AckRequest(
            table: request.table, remedy: .resync, reason: request.reason, author: request.author)
        let plan = try AckPlan.make(word, of: state, among: checkpoints, isScanned: isScanned)
        return ResyncPlan(from: state?.phase, losses: plan.steps, drafts: plan.drafts)
    }
}
