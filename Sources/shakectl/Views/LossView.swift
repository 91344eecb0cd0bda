internal import Journal
internal import StreamModel

/// A loss that the journal knows, as `status`, `state` and `ack` show it.
struct LossView: Hashable, Sendable {
    /// `nil`: it is the whole table's.
    let shard: ShardKey?
    let table: TableName
    let loss: Loss

    init(shard: ShardKey, _ loss: Loss) { (self.shard, table, self.loss) = (shard, shard.table, loss) }
    init(table: TableName, _ loss: Loss) { (shard, self.table, self.loss) = (nil, table, loss) }

    /// What the journal knows of a table, its shards' in the order of their names.
    static func all(of table: TableName, _ state: TableState?, _ checkpoints: [Checkpoint]) -> [LossView] {
        let own = state?.loss.map { [LossView(table: table, $0)] } ?? []
        return own
            + checkpoints.sorted { $0.shard < $1.shard }.compactMap { checkpoint in
                checkpoint.loss.map { LossView(shard: checkpoint.shard, $0) }
            }
    }

    /// Whether the table stands still for it.
    var stops: Bool { loss.stops }
    /// Whether an operator has yet to take note of it.
    var isOpen: Bool { !loss.isAcknowledged }

    var json: JSON {
        [
            "table": .string(table.text),
            "shard": .string(shard?.shard.text),
            "cause": .string(loss.lost.cause.rawValue),
            "from_sequence_number": .string(loss.lost.from?.text),
            "to_sequence_number": .string(loss.lost.to?.text),
            "since": .string(loss.lost.since?.description),
            "policy": .string(loss.lost.policy.rawValue),
            "detail": .string(loss.lost.detail),
            "time": .string(loss.time.description),
            "position": .unsigned(loss.position.number),
            "acknowledged": .bool(loss.isAcknowledged),
            "remedy": .string(loss.remedy?.rawValue),
        ]
    }

    var words: String {
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
    var advice: String {
        if stops {
            return "the table is stopped: `shakectl ack \(table) --resync` scans it again, --skip goes on without"
        }
        if let remedy = loss.remedy { return "goes on by \(remedy.rawValue), as an operator said" }
        let done = loss.lost.policy == .skip ? "skipped" : "the table is scanned again"
        return "\(done); `shakectl ack \(table)` takes note"
    }
}
