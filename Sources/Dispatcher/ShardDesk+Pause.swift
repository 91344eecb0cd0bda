internal import Journal
internal import StreamModel

/// Shards that an operator has paused: nothing is asked of them, and all that the journal knows of them stays as it is.
extension ShardDesk {
    func isPaused(_ shard: ShardID) -> Bool { pause != nil || lineage.checkpoints[shard]?.pause != nil }

    /// Says of a shard that was in step when it was paused up to when: its last record may be far older than the pause, and is no
    /// word on what comes after it.
    mutating func vouch(_ result: ShardReader.Result) async throws {
        let read = result.checkpoint
        guard isPaused(read.shard.shard), let current = lineage.checkpoints[read.shard.shard],
            current.status == .inProcessing, current.epoch == read.epoch,
            current.sequenceNumber == read.sequenceNumber
        else { return }
        let word = lastWord(result)
        guard !word.isEmpty else { return }
        _ = try await append([Draft(shard: current.shard, expecting: current.revision, word)])
    }
}
