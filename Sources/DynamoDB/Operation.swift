/// The two services a table's changes are read from. Each has its own endpoint; both sign as `dynamodb`.
enum Service: CaseIterable, Sendable {
    case tables
    case streams

    /// Before the operation in `X-Amz-Target`.
    var target: String {
        switch self {
        case .tables: "DynamoDB_20120810"
        case .streams: "DynamoDBStreams_20120810"
        }
    }

    /// In messages.
    var name: String {
        switch self {
        case .tables: "DynamoDB"
        case .streams: "DynamoDB Streams"
        }
    }
}

/// A call of the API. All but `updateTable` only read, and that one asks for what is refused where it is so already: a
/// repeated one does no harm.
enum Operation: String, CaseIterable, Sendable {
    case describeTable = "DescribeTable"
    case listTables = "ListTables"
    case scan = "Scan"
    case batchGetItem = "BatchGetItem"
    case updateTable = "UpdateTable"
    case describeStream = "DescribeStream"
    case getShardIterator = "GetShardIterator"
    case getRecords = "GetRecords"

    var service: Service {
        switch self {
        case .describeTable, .listTables, .scan, .batchGetItem, .updateTable: .tables
        case .describeStream, .getShardIterator, .getRecords: .streams
        }
    }

    /// The value of `X-Amz-Target`.
    var target: String { "\(service.target).\(rawValue)" }

    /// What a policy must allow (Service Authorization Reference; Streams has no prefix of its own).
    var action: String { "dynamodb:\(rawValue)" }
}
