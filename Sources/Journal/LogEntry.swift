internal import StreamModel

/// What lies under a key of the log.
enum LogEntry {
    /// - naming: the shard's full name, where the event gives it (a discovery).
    case event(WireFormat.Envelope, Payload, naming: ShardKey?)
    case folded(FoldedStretch)

    /// The position under which it lies.
    var first: Position {
        switch self {
        case .event(let envelope, _, _): envelope.position
        case .folded(let stretch): stretch.first
        }
    }

    /// Of the newest event that it stands for.
    var time: Timestamp {
        switch self {
        case .event(let envelope, _, _): envelope.time
        case .folded(let stretch): stretch.time
        }
    }

    var writer: RunID {
        switch self {
        case .event(let envelope, _, _): envelope.run
        case .folded(let stretch): stretch.writer
        }
    }

    /// The last position that it stands for.
    var last: Position {
        switch self {
        case .event(let envelope, _, _): envelope.position
        case .folded(let stretch): stretch.last
        }
    }
}
