package import DynamoDB
package import Journal
package import StreamModel
package import Targets

/// Why a table, or the whole daemon, can't go on. Each text says what happened, to what, and what to do.
package enum DaemonError: Error, CustomStringConvertible {
    case source(DynamoDBError)
    case target(TargetError)
    case journal(JournalError)
    /// The stream no longer holds what comes next, or the target no longer holds what came before.
    case needsFullSync(table: TableName, reason: String)
    case misconfigured(what: String, reason: String)
    /// With `--until-idle`: some tables came to rest and these did not.
    case tablesFailed([TableName: String], exitCode: Int32)

    package var description: String {
        switch self {
        case .source(let error): error.description
        case .target(let error): error.description
        case .journal(let error): error.description
        case .needsFullSync(let table, let reason):
            "table \(table) needs a full sync: \(reason). Run with --mode all to take it; the other tables are not "
                + "concerned"
        case .misconfigured(let what, let reason): "\(what): \(reason)"
        case .tablesFailed(let tables, _):
            tables.sorted { $0.key < $1.key }.map { "table \($0.key): \($0.value)" }.joined(separator: "; ")
        }
    }

    /// DESIGN 6.
    package var exitCode: Int32 {
        switch self {
        case .source(let error): error.exitCode
        case .target(.unavailable): 69
        case .target(.unwritable): 65
        case .target(.misconfigured): 78
        case .target(.broken): 74
        case .journal(let error): error.exitCode
        case .needsFullSync: 69
        case .misconfigured: 78
        case .tablesFailed(_, let code): code
        }
    }

    /// A short name for `faulted`, the logs and `status`.
    package var code: String {
        switch self {
        case .source(let error): error.code
        case .target(.unavailable): "TargetUnavailable"
        case .target(.unwritable): "TargetUnwritable"
        case .target(.misconfigured): "TargetMisconfigured"
        case .target(.broken): "TargetBroken"
        case .journal: "Journal"
        case .needsFullSync: "NeedsFullSync"
        case .misconfigured: "Misconfigured"
        case .tablesFailed: "TablesFailed"
        }
    }

    /// Whom it stops, and whether trying again can help.
    package var reach: Reach {
        switch self {
        case .source(let error): error.isRetryable ? .retry : .table
        case .target(.unavailable): .retry
        case .target(.unwritable): .table
        case .target(.misconfigured), .target(.broken): .daemon
        // What was refused rested on a state that the journal is not in: begun again, it rests on the journal.
        case .journal(.conflict), .journal(.refused): .retry
        case .journal: .daemon
        case .needsFullSync, .misconfigured: .table
        case .tablesFailed: .daemon
        }
    }

    package enum Reach: Hashable, Sendable {
        /// The table's work is begun again after a while.
        case retry
        /// This table waits for an operator; the others go on.
        case table
        /// Nothing can go on.
        case daemon
    }
}
