package import StreamModel

/// An operator's word that a shard, or all of a table, is not to be read until it is resumed.
package struct Pause: Hashable, Sendable {
    /// Who: a user and host.
    package var author: String
    package var reason: String
    /// Of the event that said so.
    package var time: Timestamp
    package var position: Position

    package init(author: String, reason: String, time: Timestamp, position: Position) {
        self.author = author
        self.reason = reason
        self.time = time
        self.position = position
    }

    init(_ paused: Paused, position: Position, time: Timestamp) {
        self.init(author: paused.author, reason: paused.reason, time: time, position: position)
    }
}
