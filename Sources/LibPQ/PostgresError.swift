/// What the server refused, or that it is gone.
package struct PostgresError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The class of what happened; `nil` where no server said it: out of reach, cut off, too slow.
    /// Source: PostgreSQL, "PostgreSQL Error Codes".
    package let sqlState: String?
    /// One line, without what was in the statement.
    package let message: String
    /// The connection is of no use any more, and what it was in the middle of may have been done or not.
    package let isConnectionLost: Bool

    package init(sqlState: String?, message: String, isConnectionLost: Bool) {
        self.sqlState = sqlState
        self.message = message
        self.isConnectionLost = isConnectionLost
    }

    package var description: String { sqlState.map { "\(message) (SQLSTATE \($0))" } ?? message }
}
