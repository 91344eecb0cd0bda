internal import LibPQ

/// A connection, and the statements that are ready on it.
final class Session {
    let connection: Connection
    /// The server's names of them: it cuts longer ones after 63 bytes, and two could become one.
    private var prepared: [String: String] = [:]

    init(_ connection: Connection) { self.connection = connection }

    /// Has a statement ready, once a connection.
    ///
    /// - Returns: what the server calls it.
    func prepare(_ statement: String, _ sql: @autoclosure () -> String) throws(PostgresError) -> String {
        if let known = prepared[statement] { return known }
        let name = "shake_\(prepared.count)"
        try connection.prepare(name, sql())
        prepared[statement] = name
        return name
    }
}
