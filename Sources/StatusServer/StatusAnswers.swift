/// Whoever knows the answers. The server asks, and knows none of them itself.
///
/// The answers of the API are lines of JSON, those of the command of the same name. Each may block for as long as reading the
/// journal takes, and none holds anything of it when it returns.
package protocol StatusAnswers: Sendable {
    /// In Prometheus' text format.
    func metrics() async throws(RequestRefusal) -> String
    /// Whether the daemon goes on by itself. Whether source and target can be reached does not matter: no restart would help.
    func liveness() async -> Verdict
    /// Whether each table is well.
    func readiness() async -> Verdict
    func status() async throws(RequestRefusal) -> [String]
    /// The same for many who ask again and again: it may be some seconds old.
    func recentStatus() async throws(RequestRefusal) -> [String]
    func shards(of table: String?) async throws(RequestRefusal) -> [String]
    func history(_ question: Route.HistoryQuestion) async throws(RequestRefusal) -> [String]
    func state(of shard: String, at: String?) async throws(RequestRefusal) -> [String]
    func lastPosition() async throws(RequestRefusal) -> UInt64
    /// Events of the whole journal, oldest first.
    func events(after position: UInt64, limit: Int) async throws(RequestRefusal) -> [JournalLine]
}

/// One event as `shakectl tail --json` shows it.
package struct JournalLine: Hashable, Sendable {
    package let position: UInt64
    package let json: String

    package init(position: UInt64, json: String) {
        self.position = position
        self.json = json
    }
}

/// A yes, or a no with its reasons, each a line of JSON.
package struct Verdict: Hashable, Sendable {
    package let isGood: Bool
    package let lines: [String]

    package init(isGood: Bool, lines: [String]) {
        self.isGood = isGood
        self.lines = lines
    }
}
