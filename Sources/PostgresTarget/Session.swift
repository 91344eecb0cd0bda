internal import LibPQ

/// A connection, and the statements that are ready on it.
final class Session {
    let connection: Connection
    private var prepared: Set<String> = []

    init(_ connection: Connection) { self.connection = connection }

    /// Has a statement ready, once a connection.
    func prepare(_ statement: String, _ sql: @autoclosure () -> String) throws(PostgresError) {
        guard !prepared.contains(statement) else { return }
        try connection.prepare(statement, sql())
        prepared.insert(statement)
    }
}
