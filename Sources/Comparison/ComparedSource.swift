package import DynamoDB
package import Filter
package import StreamModel

/// What a comparison asks of DynamoDB. Every call retries within bounds of its own and ends at once when its task is cancelled.
package protocol ComparedSource: Sendable {
    func scan(
        _ table: TableSchema, segment: Int, of totalSegments: Int, after key: [UInt8]?, consistent: Bool,
        filter: ItemFilter?, limit: Int?
    ) async throws(DynamoDBError) -> ScanPage

    /// The items under `keys`, at most 100 of them; a key that has none is not among them. In no order, and over as many pages as
    /// it takes.
    func items(
        under keys: [[UInt8]], of table: TableName, consistent: Bool
    ) async throws(DynamoDBError) -> [ScanPage]
}

extension DynamoDBClient: ComparedSource {}
