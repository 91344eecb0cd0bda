internal import StreamModel

/// What lies under a key of the log.
enum LogEntry {
    /// - naming: the shard's full name, where the event gives it (a discovery).
    case event(WireFormat.Envelope, Payload, naming: ShardKey?)
    case folded(FoldedStretch)

    /// The last position that it stands for.
    var last: Position {
        switch self {
        case .event(let envelope, _, _): envelope.position
        case .folded(let stretch): stretch.last
        }
    }
}
