internal import LibPQ
internal import Targets

/// What follows from what the server says, by its SQLSTATE (PostgreSQL, "PostgreSQL Error Codes").
enum Consequence: Hashable, Sendable {
    /// It may pass by itself.
    case retry
    /// It is a record's own: the others go on.
    case refuseRecord
    /// An operator must act, as the text says.
    case stop(String)

    /// - Parameter sqlState: `nil` where no server said it.
    init(_ sqlState: String?) {
        guard let sqlState else {
            self = .retry
            return
        }
        self =
            Self.exact[sqlState] ?? Self.classes[String(sqlState.prefix(2))]
            ?? .stop("this is not expected: look into the server's log")
    }

    private static let exact: [String: Consequence] = [
        // Two at a time, or a replica that became the primary.
        "40001": .retry, "40P01": .retry, "55P03": .retry, Self.readOnly: .retry, "57014": .retry,
        "53100": .retry,  // disk full
        "28P01": .stop("the password is wrong: put the right one into the URL, PGPASSWORD or ~/.pgpass"),
        "28000": .stop("the server lets this user not in: look at pg_hba.conf and at the user's name"),
        "3D000": .stop("there is no such database: make it (createdb), or name another in the URL"),
        "3F000": .stop("there is no such schema: make it (CREATE SCHEMA), or name another as target.schema"),
        "42501": .stop("grant this user what it lacks: it must make tables in the schema, read and write them"),
        "42P01": .stop("the table was dropped while it was written to: start again"),
        "42703": .stop("a column was dropped: put it back, or begin again with another table"),
        "42P10": .stop("the primary key was dropped: put it back"),
        Self.fenced: .stop(
            "another daemon has taken over this schema: two can't write to it. End one of them, or name another schema"),
        "57P04": .stop("the database was dropped"),
        "XX001": .stop("the server's data is damaged: look into its log, and restore a backup"),
        "XX002": .stop("an index is damaged: look into the server's log (REINDEX)"),
        // Larger than an index takes, or a value that a typed column does not.
        "54000": .refuseRecord, "54001": .refuseRecord,
    ]

    /// Division by zero, which the first statement of a write ends in where its generation is not the newest.
    static let fenced = "22012"

    /// A replica, or a database that was made read-only.
    static let readOnly = "25006"

    private static let classes: [String: Consequence] = [
        "08": .retry, "53": .retry, "57": .retry, "58": .retry, "XX": .retry,
        "22": .refuseRecord, "23": .refuseRecord,
        "28": .stop("the server lets this user not in"),
        "42": .stop("the schema is not what Shake has made: look at what was changed there"),
    ]
}

extension TargetError {
    /// As an operator reads it. A record that is refused is named by who knows it.
    init(_ error: PostgresError, target: String, during operation: String) {
        switch Consequence(error.sqlState) {
        case .retry, .refuseRecord: self = .unavailable(target: target, reason: "\(operation): \(error)")
        case .stop(let advice):
            self = .misconfigured(target: target, reason: "\(operation): \(error): \(advice)")
        }
    }
}
