internal import Journal
internal import StreamModel

/// How far the target is behind the source, as far as the journal can tell. It holds what became durable, not what
/// is still in the stream, so this is a bound and not a measurement.
enum Lag {
    /// A shard that a running daemon reads is asked at least once a second. If nothing was recorded for this long,
    /// nothing came: neither a record nor an error.
    static let quiet = Duration.seconds(5)

    /// - Returns: zero where nothing is left to read, as far as can be known; else the age of the last durable
    ///   record, which the source may have made to the second only; `nil` where nothing was read yet, and for a shard
    ///   that has been read to its end.
    static func of(_ checkpoint: Checkpoint, daemonIsRunning: Bool, now: Timestamp) -> Duration? {
        switch checkpoint.status {
        case .done, .notNeeded, .lost: return nil
        case .inProcessing where daemonIsRunning && !checkpoint.endsWithFault && now - checkpoint.updated > quiet:
            return .zero
        case .inProcessing, .notProcessed, .prepared, .waitingForParent:
            return checkpoint.approximateTime.map { max(.zero, now - $0) }
        }
    }
}

extension Checkpoint {
    /// Whether an error is the last thing that happened to it.
    var endsWithFault: Bool { lastFault.map { $0.time >= updated } ?? false }
}
