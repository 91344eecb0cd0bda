package import Journal
package import StreamModel

/// A loss that the journal knows, in words.
package struct KnownLoss: Hashable, Sendable {
    /// `nil`: it is the whole table's.
    package let shard: ShardKey?
    package let table: TableName
    package let loss: Loss

    package init(shard: ShardKey, _ loss: Loss) { (self.shard, table, self.loss) = (shard, shard.table, loss) }
    package init(table: TableName, _ loss: Loss) { (shard, self.table, self.loss) = (nil, table, loss) }

    /// What the journal knows of a table, its shards' in the order of their names.
    package static func all(of table: TableName, _ state: TableState?, _ checkpoints: [Checkpoint]) -> [KnownLoss] {
        let own = state?.loss.map { [KnownLoss(table: table, $0)] } ?? []
        return own
            + checkpoints.sorted { $0.shard < $1.shard }.compactMap { checkpoint in
                checkpoint.loss.map { KnownLoss(shard: checkpoint.shard, $0) }
            }
    }

    /// Whether the table stands still for it.
    package var stops: Bool { loss.stops }
    /// Whether an operator has yet to take note of it.
    package var isOpen: Bool { !loss.isAcknowledged }

    package var words: String {
        let range =
            shard == nil
            ? "changes may be lost"
            : "lost: what came after \(loss.lost.from?.text ?? "the start")"
                + (loss.lost.to.map { " and before \($0)" } ?? "")
        return (shard.map { "shard \($0.shard) " } ?? "") + range
            + (loss.lost.since.map { ", made since \(Spoken.time($0).prefix(19))" } ?? "")
            + " (\(loss.lost.cause.rawValue), noticed \(Spoken.time(loss.time).prefix(19)))"
    }

    /// What an operator can do about it.
    ///
    /// - Parameter place: the options that say which journal it is, each after a space, as a shell reads them.
    package func advice(_ place: String) -> String {
        if stops {
            return
                "the table is stopped: `shakectl ack \(table) --resync\(place)` scans it again (with --mode all), --skip goes on "
                + "without"
        }
        if let remedy = loss.remedy { return "goes on by \(remedy.rawValue), as an operator said" }
        let done = loss.lost.policy == .skip ? "skipped" : "the table is scanned again"
        return "\(done); `shakectl ack \(table)\(place)` takes note"
    }
}
