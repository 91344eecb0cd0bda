/// The calls that are answered. The raw value is the header X-Amz-Target.
enum Call: String, CaseIterable, Sendable {
    case getRecords = "DynamoDBStreams_20120810.GetRecords"
    case getShardIterator = "DynamoDBStreams_20120810.GetShardIterator"
    case describeStream = "DynamoDBStreams_20120810.DescribeStream"
    case listStreams = "DynamoDBStreams_20120810.ListStreams"
    case createTable = "DynamoDB_20120810.CreateTable"
    case describeTable = "DynamoDB_20120810.DescribeTable"
    case listTables = "DynamoDB_20120810.ListTables"
    case updateTable = "DynamoDB_20120810.UpdateTable"
    case deleteTable = "DynamoDB_20120810.DeleteTable"
    case updateTimeToLive = "DynamoDB_20120810.UpdateTimeToLive"
    case describeTimeToLive = "DynamoDB_20120810.DescribeTimeToLive"
    case tagResource = "DynamoDB_20120810.TagResource"
    case untagResource = "DynamoDB_20120810.UntagResource"
    case listTagsOfResource = "DynamoDB_20120810.ListTagsOfResource"
    case putItem = "DynamoDB_20120810.PutItem"
    case getItem = "DynamoDB_20120810.GetItem"
    case updateItem = "DynamoDB_20120810.UpdateItem"
    case deleteItem = "DynamoDB_20120810.DeleteItem"
    case batchGetItem = "DynamoDB_20120810.BatchGetItem"
    case batchWriteItem = "DynamoDB_20120810.BatchWriteItem"
    case transactWriteItems = "DynamoDB_20120810.TransactWriteItems"
    case scan = "DynamoDB_20120810.Scan"

    /// The names without the services'.
    static let actions = Set(allCases.map { Request(target: $0.rawValue, body: []).action })
}
