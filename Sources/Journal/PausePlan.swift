package import StreamModel

/// An operator's word that a table or a shard is to be paused, or to go on.
package struct PauseRequest: Sendable {
    package enum Deed: String, Sendable {
        case pause
        case resume
    }

    package var deed: Deed
    package var reason: String
    package var author: String

    package init(_ deed: Deed, reason: String, author: String) {
        self.deed = deed
        self.reason = reason
        self.author = author
    }

    fileprivate var payload: Payload {
        switch deed {
        case .pause: .paused(Paused(author: author, reason: reason))
        case .resume: .resumed(Resumed(author: author, reason: reason))
        }
    }
}

/// Why a shard can't be paused.
package enum PauseRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case isOver(ShardKey, Status)

    package var description: String {
        switch self {
        case .isOver(let shard, let status):
            "shard \(shard) is \(status.rawValue): nothing more is read of it, so there is nothing to pause. `shakectl shards "
                + "\(shard.table)` shows those that are read; the table's name pauses all of them"
        }
    }
}

/// What pausing or resuming appends: decided from what the journal knows alone.
package struct PausePlan: Hashable, Sendable {
    package let subject: Subject
    /// That it is, or whose shard it is.
    package let table: TableName
    /// As it is before; where it is so already as it is wanted, nothing is appended.
    package let before: Pause?
    package let drafts: [Draft]

    package static func make(_ request: PauseRequest, of table: TableName, _ state: TableState?) -> PausePlan {
        let isDone = (state?.pause != nil) == (request.deed == .pause)
        return PausePlan(
            subject: .table(table), table: table, before: state?.pause,
            drafts: isDone ? [] : [Draft(table: table, [request.payload])])
    }

    /// - Throws: where nothing is left of the shard to be read. To resume such a one is what it is already.
    package static func make(_ request: PauseRequest, of checkpoint: Checkpoint) throws(PauseRefusal) -> PausePlan {
        if request.deed == .pause, checkpoint.status.letsChildrenStart {
            throw .isOver(checkpoint.shard, checkpoint.status)
        }
        let isDone = (checkpoint.pause != nil) == (request.deed == .pause)
        return PausePlan(
            subject: .shard(checkpoint.shard), table: checkpoint.shard.table, before: checkpoint.pause,
            drafts: isDone
                ? [] : [Draft(shard: checkpoint.shard, expecting: checkpoint.revision, [request.payload])])
    }
}
