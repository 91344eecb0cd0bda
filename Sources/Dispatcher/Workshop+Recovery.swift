internal import Journal
internal import StreamModel
internal import Targets

/// What is known of shards that nobody reads just now: whether they are over, and what a target lacks of them.
extension Workshop {
    /// The first of some shards of a table of which the target holds less than the journal says, unless a scan since has brought
    /// it.
    func firstLacking(
        of checkpoints: [Checkpoint], _ positions: [ShardKey: ShardPosition], _ state: TableState?
    ) throws(JournalError) -> ShardKey? {
        guard target.storesPositions else { return nil }
        for checkpoint in checkpoints {
            switch Recovery.compare(checkpoint, with: positions[checkpoint.shard]) {
            case .inStep, .advance: continue
            case .rewind, .startAgain:
                if let scanned = state?.scanBegan, try lastAdvance(checkpoint).map({ $0 < scanned }) ?? true {
                    continue
                }
                return checkpoint.shard
            }
        }
        return nil
    }

    /// Whether some shards, which are all that is known of a stream, are read to their ends, and for so long that no child of
    /// theirs is only listed late.
    func haveEnded(_ checkpoints: some Collection<Checkpoint>) -> Bool {
        guard checkpoints.allSatisfy(\.status.letsChildrenStart) else { return false }
        guard let last = checkpoints.map(\.updated).max() else { return true }
        return now() - last >= configuration.listingDelay
    }

    /// When something of a shard was last made durable; `nil` where nothing ever was.
    func lastAdvance(_ checkpoint: Checkpoint) throws(JournalError) -> Position? {
        let query = HistoryQuery(kinds: ["sequence_advanced"], limit: 1, newestFirst: true)
        return try journal.history(of: checkpoint.shard, query).first.map { event in
            guard case .historyFolded(let folded) = event.payload else { return event.position }
            return folded.lastAdvance ?? event.position
        }
    }
}
