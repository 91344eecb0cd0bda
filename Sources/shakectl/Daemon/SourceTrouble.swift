internal import DynamoDB
internal import Logging
internal import StreamModel
internal import Synchronization

/// Says that calls to the source fail and are tried again: the first at once, then no more than a line every few seconds,
/// since a thousand shards that are throttled are one fact.
final class SourceTrouble: Sendable {
    private struct State {
        var lastLine: Timestamp?
        var unsaid = 0
    }

    private let logger: Logger
    private let interval: Duration
    private let now: @Sendable () -> Timestamp
    private let state = Mutex(State())

    init(
        _ logger: Logger, interval: Duration = .seconds(5),
        now: @escaping @Sendable () -> Timestamp = { Timestamp.now() }
    ) {
        self.logger = logger
        self.interval = interval
        self.now = now
    }

    /// - Parameter delay: after which the call is made again.
    func note(_ error: DynamoDBError, again delay: Duration) {
        let time = now()
        let others: Int? = state.withLock { state in
            if let last = state.lastLine, time - last < interval {
                state.unsaid += 1
                return nil
            }
            defer { state.unsaid = 0 }
            state.lastLine = time
            return state.unsaid
        }
        guard let others else { return }
        var facts: Logger.Metadata = ["error": "\(error)", "in": .stringConvertible(delay)]
        if others > 0 { facts["others_since"] = "\(others)" }
        logger.warning("a call to the source failed; it is tried again", metadata: facts)
    }
}
