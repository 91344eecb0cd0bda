internal import DynamoDB
internal import Logging
internal import StreamModel

/// Streams that are enabled for tables which have none, where an operator wants that.
///
/// Never is one disabled, not even to change a view type that carries too little: whoever else reads it would lose it.
extension TableFollower {
    /// The table with a stream that is enabled, if only ENABLING; as it is, where nobody wants that one is enabled.
    ///
    /// As early as possible, and before an older stream is read to its end: a change that is made while none is enabled is in none.
    ///
    /// - Returns: `nil` where the daemon is to stop before that.
    func withStream(_ description: TableDescription) async throws -> TableDescription? {
        guard workshop.configuration.enablesStreams else { return description }
        var backoff = Backoff(first: .milliseconds(500), maximum: .seconds(5))
        var description = description
        /// When UpdateTable was last answered. DescribeTable may show the table as it was before for a while.
        var enabled: Duration?
        while description.lacksStream {
            var cause = "its stream is being enabled, and followed as soon as it is there"
            if enabled.map({ workshop.surroundings.uptime() - $0 > Self.patience }) ?? true {
                if let obstacle = try await enableStream() {
                    cause = "it has no stream yet, and one is enabled as soon as the table allows it: \(obstacle)"
                } else {
                    enabled = workshop.surroundings.uptime()
                    // Whoever waits for all to be in step waits for this one too.
                    workshop.pulse.busy(table)
                }
            }
            workshop.vitals.waits(table, cause)
            guard await workshop.wait(backoff.next(jitter: workshop.random())) else { return nil }
            description = try await workshop.source.describeTable(table)
        }
        return description
    }

    /// For so long the service is given to show a stream that it has agreed to; then it is asked once more, since somebody may have
    /// disabled it.
    private static let patience: Duration = .seconds(60)

    /// - Returns: why it can't be done just now, where that may pass.
    private func enableStream() async throws(DaemonError) -> DynamoDBError? {
        do throws(DynamoDBError) {
            try await workshop.source.enableStream(of: table)
            log.notice("a stream is enabled, as the table has none", metadata: ["view": "NEW_AND_OLD_IMAGES"])
            return nil
        } catch {
            if error.isDenied { throw .mayNotEnableStream(table: table, error) }
            guard error.isInUse || error.isThrottle else { throw .source(error) }
            log.info("no stream can be enabled just now; the table is looked at again", metadata: ["error": "\(error)"])
            return error
        }
    }

    /// Enables the next stream while what is left of one that was switched off is still read. What fails here is said, and done
    /// again at its end.
    func enableNextStream() async -> Event {
        do {
            if try await workshop.source.describeTable(table).lacksStream { _ = try await enableStream() }
        } catch {
            if let error = asDaemonError(error) {
                log.warning("no stream can be enabled after the one that is over", metadata: ["error": "\(error)"])
            }
        }
        return .nothing
    }
}
