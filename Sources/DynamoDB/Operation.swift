/// The services that are asked. Each has its own endpoint; the two of a table sign as `dynamodb`.
enum Service: CaseIterable, Sendable {
    case tables
    case streams
    /// STS, which has a protocol of its own.
    case roles

    /// Before the operation in `X-Amz-Target`.
    var target: String {
        switch self {
        case .tables: "DynamoDB_20120810"
        case .streams: "DynamoDBStreams_20120810"
        case .roles: "AWSSecurityTokenServiceV20110615"
        }
    }

    /// In messages.
    var name: String {
        switch self {
        case .tables: "DynamoDB"
        case .streams: "DynamoDB Streams"
        case .roles: "STS"
        }
    }
}

/// A call of the API.
///
/// Those of the source only read, but for `updateTable`, which asks for what is refused where it is so already. What a target is
/// changed by may be repeated as well: a put or a delete of one item twice is the same item, a table is made or dropped once. But
/// a call that nobody knows the outcome of may take effect later than one that was answered after it, so whoever writes is told of
/// each (`DynamoDBClient.UnknownObserver`).
enum Operation: String, CaseIterable, Sendable {
    case describeTable = "DescribeTable"
    case listTables = "ListTables"
    case scan = "Scan"
    case batchGetItem = "BatchGetItem"
    case updateTable = "UpdateTable"
    case batchWriteItem = "BatchWriteItem"
    case transactWriteItems = "TransactWriteItems"
    case createTable = "CreateTable"
    case deleteTable = "DeleteTable"
    case describeTimeToLive = "DescribeTimeToLive"
    case updateTimeToLive = "UpdateTimeToLive"
    case listTagsOfResource = "ListTagsOfResource"
    case tagResource = "TagResource"
    case describeStream = "DescribeStream"
    case getShardIterator = "GetShardIterator"
    case getRecords = "GetRecords"

    var service: Service {
        switch self {
        case .describeStream, .getShardIterator, .getRecords: .streams
        case .describeTable, .listTables, .scan, .batchGetItem, .updateTable, .batchWriteItem, .transactWriteItems,
            .createTable, .deleteTable, .describeTimeToLive, .updateTimeToLive, .listTagsOfResource, .tagResource:
            .tables
        }
    }

    /// Whether it may take effect after a later call that was answered before it, and undo that.
    var writesItems: Bool { self == .batchWriteItem || self == .transactWriteItems }

    /// The value of `X-Amz-Target`.
    var target: String { "\(service.target).\(rawValue)" }

    /// What a policy must allow (Service Authorization Reference; Streams has no prefix of its own).
    var action: String { "dynamodb:\(rawValue)" }
}
