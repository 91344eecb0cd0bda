package import DynamoDB

extension Health.Limits {
    /// An idle shard that waits for its turn among many is not stuck.
    ///
    /// - Parameter shards: how many are read of each table.
    package mutating func stretch(for shards: [Int], _ calls: CallLimits) {
        page = max(page, Self.round(of: shards.reduce(0, +), at: calls.getRecords) * 2)
        guard let rate = calls.getRecordsPerTable else { return }
        for count in shards { page = max(page, Self.round(of: count, at: rate) * 2) }
    }

    /// How long it is until each of some shards had its turn, where others that have more to give take all that they may.
    private static func round(of shards: Int, at rate: Int) -> Duration {
        .seconds(shards * TurnQueue.round) / rate
    }
}
