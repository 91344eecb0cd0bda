package import Journal
package import StreamModel

/// How far the target is behind the source, as far as journal and vital signs can tell. They know what became durable and
/// what was asked for, not what is still in the stream, so this is a bound and not a measurement.
package enum Lag {
    /// A page that is no older than this is as good as now: an idle shard is asked once a second.
    package static let fresh = Duration.seconds(5)

    /// - Parameter sign: what a running daemon last did with the shard.
    /// - Returns: zero where the newest page was empty and everything before it is in the target; how old that page is, where
    ///   nobody has asked since; else the age of the last durable record, which the source may have made to the second only.
    ///   `nil` where nothing was read yet, and for a shard of which nothing more is read.
    package static func of(_ checkpoint: Checkpoint, sign: VitalSigns.Shard?, now: Timestamp) -> Duration? {
        switch checkpoint.status {
        case .done, .notNeeded, .lost: return nil
        case .inProcessing, .notProcessed, .prepared, .waitingForParent: break
        }
        if let sign, sign.isInStep, let page = sign.page { return now - page > fresh ? now - page : .zero }
        return checkpoint.approximateTime.map { max(.zero, now - $0) }
    }
}

extension Checkpoint {
    /// Whether an error is the last thing that happened to it.
    var endsWithFault: Bool { lastFault.map { $0.time >= updated } ?? false }
}
