internal import Comparison
internal import Dispatcher
internal import DynamoDB
internal import Journal
internal import NimoShake
internal import StatusServer
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
    /// `doctor`: what it has found, with the problems among it.
    case ailing([Diagnosis])
    /// NimoShake's checkpoints or configuration can't be read.
    case nimoShake(NimoShakeError)
    case importRefused(ImportRefusal)
    /// None of the tables can be gone on with.
    case nothingImported(tables: Int, source: String)
    /// A table's stream could not be looked up.
    case streamNotAsked(table: TableName, DynamoDBError)
    /// A file that was to be made.
    case notWritten(path: String, reason: String)
    /// A line of a file that was to be imported.
    case badLine(file: String, line: Int, problem: String)
    case cannotRead(path: String, reason: String, isMissing: Bool)
    /// Nothing is wrong with what was said but its moment.
    case tryAgain(String)
    /// Nobody could be served over HTTP.
    case http(StatusServerError)
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
        case .ailing(let findings): Diagnosis.exitCode(of: findings)
        case .nimoShake(let error): error.exitCode
        case .importRefused: 64
        case .nothingImported: 65
        case .streamNotAsked(_, let error): error.exitCode
        case .notWritten: 73
        case .badLine: 65
        case .cannotRead(_, _, let isMissing): isMissing ? 64 : 74
        case .tryAgain: 75
        case .http(.notBound(_, .notPermitted)): 77
        case .http: 73
        case .output: 74
        case .differs: 1
        case .comparison(.notes): 73
        case .comparison(.underWay): 75
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
        case .nimoShake(let error): error.description
        case .importRefused(let refusal): refusal.description
        case .nothingImported(let tables, let source):
            tables == 0
                ? "\(source): there is no table to import"
                : "\(source): nothing was imported, for the reasons above; \(tables == 1 ? "the table" : "each table") takes a full "
                    + "sync with `shakectl run`"
        case .streamNotAsked(let table, let error):
            """
            table \(table): nothing was imported, since the source could not be asked for the table's stream, which NimoShake's \
            checkpoints don't name (\(error)). Repair that, leave the table out (--table names the others), or name its stream: \
            --stream \(table)=ARN
            """
        case .notWritten(let path, let reason): "\(path): can't be made: \(reason); name another file"
        case .badLine(let file, let line, let problem): "\(file), line \(line): \(problem). Nothing was imported"
        case .cannotRead(let path, let reason, let isMissing):
            "\(path): can't be read: \(reason)\(isMissing ? "; name a file that `shakectl export` has written, or - for standard input" : "")"
        case .unwell(let tables):
            tables.isEmpty
                ? "the journal knows no table yet"
                : tables.map { "\($0.table) is \($0.health.rawValue): \($0.reason)" }.joined(separator: "\n")
        case .ailing(let findings):
            findings.filter { $0.severity == .problem }.map { "\($0.check)\($0.table.map { " of \($0)" } ?? "")" }
                .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }.joined(separator: ", ")
                + ": not as a daemon needs it; see above"
        case .http(let error): error.description
        case .comparison(let error): error.description
        case .differs(let count):
            "\(Spoken.count(count, "difference")) between source and target: `shakectl diff --repair` writes them as the source has them"
        case .output(let reason): "standard output: \(reason)"
        case .outputClosed: ""
        }
    }
}
