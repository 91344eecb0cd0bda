internal import Comparison
internal import Dispatcher
internal import DynamoDB
internal import Journal
internal import StreamModel
internal import Targets

/// Why a command could not do what was asked. Each text says what happened, to which object, and what to do; each
/// case has its exit code (DESIGN 6).
enum ShakectlError: Error, CustomStringConvertible {
    /// The command was said wrongly.
    case usage(String)
    case configuration(String)
    case journal(JournalError)
    case daemon(DaemonError)
    case source(DynamoDBError)
    case target(TargetError)
    case rewindRefused(RewindRefusal)
    /// The stream no longer holds what a rewind would replay.
    case trimmed(shard: ShardKey, at: SequenceNumber?)
    /// The source doesn't take the number for a place in the shard.
    case noSuchPlace(shard: ShardKey, at: SequenceNumber, DynamoDBError)
    /// The source could not be asked whether it still holds what a rewind would replay.
    case sourceNotAsked(shard: ShardKey, DynamoDBError)
    /// A comparison that could not be made.
    case comparison(ComparisonError)
    /// `diff`: so many differences are left.
    case differs(UInt64)
    /// `status --check`: some tables are not ok, or there is none.
    case unwell([TableStatus])
    /// Nothing is wrong with what was said but its moment.
    case tryAgain(String)
    /// Standard output could not be written to.
    case output(reason: String)
    /// Whoever read standard output has gone.
    case outputClosed

    var exitCode: Int32 {
        switch self {
        case .usage, .rewindRefused, .noSuchPlace: 64
        case .configuration: 78
        case .journal(let error): error.exitCode
        case .daemon(let error): error.exitCode
        case .source(let error), .sourceNotAsked(_, let error): error.exitCode
        case .target(let error): DaemonError.target(error).exitCode
        case .trimmed, .unwell: 69
        case .tryAgain: 75
        case .output: 74
        case .differs: 1
        case .comparison(.notes): 73
        case .comparison: 78
        case .outputClosed: 0
        }
    }

    var description: String {
        switch self {
        case .usage(let text), .configuration(let text), .tryAgain(let text): text
        case .journal(let error): error.description
        case .daemon(let error): error.description
        case .source(let error): error.description
        case .target(let error): error.description
        case .rewindRefused(let refusal): refusal.description
        case .trimmed(let shard, let number):
            """
            shard \(shard): the stream no longer holds \(number.map { "the records from \($0) on" } ?? "its start"), \
            since it keeps records for 24 hours only; nothing was changed. Rewind to a later place \
            (`shakectl history \(shard)` shows them), or take the table's full sync again
            """
        case .noSuchPlace(let shard, let number, let error):
            """
            shard \(shard) was not rewound: its stream knows no place \(number) in it (\(error)). Take a sequence number that \
            `shakectl history \(shard)` shows
            """
        case .sourceNotAsked(let shard, let error):
            """
            shard \(shard) was not rewound: the source could not be asked whether its stream still holds what would be \
            replayed (\(error)). Repair that, or add --offline to rewind without asking
            """
        case .unwell(let tables):
            tables.isEmpty
                ? "the journal knows no table yet"
                : tables.map { "\($0.table) is \($0.health.rawValue): \($0.reason)" }.joined(separator: "\n")
        case .comparison(let error): error.description
        case .differs(let count):
            "\(Spoken.count(count, "difference")) between source and target: `shakectl diff --repair` writes them as the source has them"
        case .output(let reason): "standard output: \(reason)"
        case .outputClosed: ""
        }
    }
}
