package import DynamoDB
package import Journal
package import StreamModel
package import Targets

/// Why a table, or the whole daemon, can't go on. Each text says what happened, to what, and what to do.
package enum DaemonError: Error, CustomStringConvertible {
    /// A call of DynamoDB, when it had been tried again within its bounds.
    case source(DynamoDBError)
    /// A write, or the target's opening; one that can be tried again was, until the daemon was to stop.
    case target(TargetError)
    /// An append or a question.
    case journal(JournalError)
    /// The stream no longer holds what comes next, or the target no longer holds what came before.
    case needsFullSync(table: TableName, reason: String)
    /// The stream no longer has what a shard, or the whole table, needs: the table stops, or is scanned again.
    case rangeLost(table: TableName, shard: ShardID?, RangeLost)
    /// The target can't hold so many records that it is no matter of the records any more.
    case tooManyRefused(table: TableName, limit: Int, last: String)
    /// `what` isn't as it must be for the table to be followed; an operator must change it.
    case misconfigured(what: String, reason: String)
    /// A table has no stream, and the credentials may not enable one.
    case mayNotEnableStream(table: TableName, DynamoDBError)
    /// With `--until-idle`: some tables came to rest and these did not.
    case tablesFailed([TableName: String], exitCode: Int32)

    package var description: String {
        switch self {
        case .source(let error): error.description
        case .target(let error): error.description
        case .journal(let error): error.description
        case .needsFullSync(let table, let reason):
            "table \(table) needs a full sync: \(reason). Stop the daemon and start it again with --mode all to "
                + "take it; the other tables are not concerned"
        case .rangeLost(let table, let shard, let lost): Self.describe(lost, table, shard)
        case .tooManyRefused(let table, let limit, let last):
            "table \(table) stops: the target refuses a record (\(last)), and "
                + (limit == 0
                    ? "--dead-letter-limit 0 lets none wait"
                    : "\(limit) wait in dead-letters.jsonl already, as many as --dead-letter-limit allows (`shakectl dead-letters` "
                        + "lists them)")
                + ". Mend the target and start again, or raise the limit"
                + (limit == 0 ? "" : "; what waits is then delivered by `shakectl dead-letters retry`")
        case .misconfigured(let what, let reason): "\(what): \(reason)"
        case .mayNotEnableStream(let table, let error):
            "table \(table): it has no stream, and these credentials may not enable one: allow them dynamodb:UpdateTable on "
                + "the table, or enable it yourself (\(TableDescription.enabling(table))): \(error)"
        case .tablesFailed(let tables, _):
            tables.sorted { $0.key < $1.key }.map { "table \($0.key): \($0.value)" }.joined(separator: "; ")
        }
    }

    /// The target has no place for a table that was scanned into it.
    static func emptied(_ target: String, of table: TableName, items: UInt64) -> Self {
        .needsFullSync(
            table: table,
            reason:
                "\(target) has no place for it, into which the journal says that \(items) items were scanned: it was emptied, or is "
                + "another one")
    }

    /// Another program is said to have filled it, and it isn't there.
    static func imported(_ table: TableName, missingIn target: String) -> Self {
        .misconfigured(
            what: "table \(table)",
            reason:
                "its checkpoints were imported, by which \(target) holds it, and \(target) has no place for it: name the target that "
                + "the other program has filled, with that program's names of databases and tables. Where only changes are wanted, "
                + "run with --mode incr; to copy it in full, say `shakectl resync \(table)`")
    }

    /// Whoever only follows would leave out what was not scanned.
    static func elsewhere(_ table: TableName, known: String, found: String) -> Self {
        .misconfigured(
            what: "table \(table)",
            reason:
                "the journal is of \(known), and this source has \(found): it would be copied over what the target has of the "
                + "other. Name the source that the journal was filled from, or a journal and a target of their own")
    }

    static func unfinishedScan(of table: TableName, reason: String) -> Self {
        .misconfigured(
            what: "table \(table)",
            reason: "its full sync is not finished (\(reason)): run with --mode all, or take another journal")
    }

    private static func describe(_ lost: RangeLost, _ table: TableName, _ shard: ShardID?) -> String {
        let whose = shard.map { "table \(table), shard \($0)" } ?? "table \(table)"
        let range = "after \(lost.from?.text ?? "its start")" + (lost.to.map { " and before \($0)" } ?? "")
        let what = shard == nil ? "records may be lost" : "records \(range) are lost"
        let since = lost.since.map { ", made since \($0)" } ?? ""
        let next =
            switch lost.policy {
            case .stop:
                "The table is stopped and the others go on; `shakectl ack \(table) --resync` scans it again, --skip goes on "
                    + "without them"
            case .skip: "It goes on with what is left; `shakectl ack \(table)` takes note of it"
            case .resync: "The table is scanned again; `shakectl ack \(table)` takes note of it"
            }
        return "\(whose): \(what)\(since) (\(lost.cause.rawValue): \(lost.detail)). \(next)"
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
        case .needsFullSync, .rangeLost: 69
        case .tooManyRefused: 65
        case .misconfigured: 78
        case .mayNotEnableStream(_, let error): error.exitCode
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
        case .rangeLost: "RangeLost"
        case .tooManyRefused: "TooManyRefused"
        case .misconfigured: "Misconfigured"
        case .mayNotEnableStream(_, let error): error.code
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
        case .journal(.conflict), .journal(.superseded), .journal(.refused): .retry
        case .journal: .daemon
        case .needsFullSync, .rangeLost, .tooManyRefused, .misconfigured, .mayNotEnableStream: .table
        case .tablesFailed: .daemon
        }
    }

    /// Whether the table can't be described since there is none.
    var isOfNoTable: Bool {
        guard case .source(let error) = self, case .service(_, _, _, "DescribeTable", _, _) = error else {
            return false
        }
        return error.isNotFound
    }

    /// Whom an error stops.
    package enum Reach: Hashable, Sendable {
        /// The table's work is begun again after a while.
        case retry
        /// This table waits for an operator; the others go on.
        case table
        /// Nothing can go on.
        case daemon
    }
}
