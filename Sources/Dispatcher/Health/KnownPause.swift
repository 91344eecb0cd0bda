package import Journal
package import StreamModel

/// A pause that the journal knows, and how long the stream still holds what waits for its end.
package struct KnownPause: Hashable, Sendable {
    /// `nil`: it is the whole table's.
    package let shard: ShardKey?
    package let table: TableName
    package let pause: Pause
    /// Until when the stream is sure to keep what has not been read; `nil` where nothing of it is waited for: the table is scanned
    /// once it is resumed, and its stream pinned only then.
    package let heldUntil: Timestamp?

    /// Of a table, or of one of its shards.
    ///
    /// - Parameter waiting: the shards that are not read for it; `nil`: nothing of the stream is waited for.
    private init(_ table: TableName, _ shard: ShardKey?, _ pause: Pause, waiting: [Checkpoint]?) {
        self.table = table
        self.shard = shard
        self.pause = pause
        // What came before a shard's last sign is in the target. One without a sign is new.
        heldUntil = waiting.map { ($0.map { $0.accounted ?? pause.time }.min() ?? pause.time) + Recovery.surelyHeld }
    }

    /// What the journal knows of a table, its shards' in the order of their names.
    package static func all(_ state: TableState, _ checkpoints: [Checkpoint]) -> [KnownPause] {
        let isPinned = state.phase != .fullSync || !state.segments.isEmpty
        let open = Health.current(state, checkpoints).filter { !$0.status.letsChildrenStart }
        let own = state.pause.map { KnownPause(state.table, nil, $0, waiting: isPinned ? open : nil) }
        return [own].compactMap(\.self)
            + open.sorted { $0.shard < $1.shard }.compactMap { checkpoint in
                checkpoint.pause.map { KnownPause(state.table, checkpoint.shard, $0, waiting: [checkpoint]) }
            }
    }

    /// `paused by me@here since 2026-11-23 12:00:00: maintenance`.
    package var words: String {
        (shard.map { "shard \($0.shard) is " } ?? "")
            + "paused by \(pause.author) since \(Spoken.time(pause.time).prefix(19))"
            + (pause.reason.isEmpty ? "" : ": \(pause.reason)")
    }

    /// How long it may go on.
    package func outlook(now: Timestamp) -> String {
        let name = shard.map(\.description) ?? table.text
        guard let left = heldUntil.map({ $0 - now }) else {
            return "it is scanned from the beginning after `shakectl resume \(name)`, and loses nothing by the pause"
        }
        guard left > .zero else {
            return
                "the stream, which keeps its records for 24 h, may have lost what waits: `shakectl resume \(name)` finds out"
        }
        return "the stream still holds what waits for \(Spoken.duration(left)): `shakectl resume \(name)` goes on"
    }

    /// What is wrong with it: it has gone on for 12 h, half of what the stream keeps, or longer than all of that.
    package func complaint(now: Timestamp) -> Health.Complaint? {
        guard let left = heldUntil.map({ $0 - now }), left <= Self.margin else { return nil }
        return Health.Complaint(left > .zero ? .degraded : .failed, "\(words); \(outlook(now: now))")
    }

    /// What is left after 12 h: time enough to act.
    private static let margin = Recovery.surelyHeld - .seconds(12 * 3600)
}
