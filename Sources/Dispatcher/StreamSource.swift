package import DynamoDB
package import Filter
package import StreamModel

/// What the dispatcher asks of DynamoDB. Every call retries within bounds of its own and ends at once when its task is
/// cancelled.
package protocol StreamSource: Sendable {
    func describeTable(_ name: TableName) async throws(DynamoDBError) -> TableDescription
    /// What else the table is, for a target that makes its place like it.
    func design(of table: TableDescription) async throws(DynamoDBError) -> TableDesign
    /// Enables a stream with both images, unless that throws an error that `isInUse`: then the table is to be described again.
    func enableStream(of name: TableName) async throws(DynamoDBError)
    /// All tables of the account.
    func listTables() async throws(DynamoDBError) -> [TableName]
    /// All pages of the listing.
    func describeStream(_ arn: StreamARN) async throws(DynamoDBError) -> StreamDescription
    /// The direct children of a closed shard, as far as the service shows them yet.
    func children(of shard: ShardID, in arn: StreamARN) async throws(DynamoDBError) -> [Shard]
    /// - Parameter onFailure: told of each try that has failed, here as below: whoever tries is at work.
    func iterator(
        _ type: IteratorType, at number: SequenceNumber?, shard: ShardKey, onFailure: @escaping @Sendable () -> Void
    ) async throws(DynamoDBError) -> ShardIterator
    /// - Parameter onNext: told of the next iterator, and of the page's length in bytes, as soon as they are known; that may
    ///   be never, or more than once.
    func rawRecords(
        at iterator: ShardIterator, limit: Int, onFailure: @escaping @Sendable () -> Void,
        onNext: @escaping @Sendable (ShardIterator, Int) -> Void
    ) async throws(DynamoDBError) -> RawPage
    func scan(
        _ table: TableSchema, segment: Int, of totalSegments: Int, after key: [UInt8]?, consistent: Bool,
        filter: ItemFilter?, limit: Int?, onFailure: @escaping @Sendable () -> Void
    ) async throws(DynamoDBError) -> ScanPage
    /// What the service's clock is ahead of this machine's, as far as its replies have shown, and never more than it is.
    var clockLead: Duration { get }
    /// How many calls for records were second tries of one that failed, since the start.
    var readsMadeAgain: Int { get }
    /// Told of each page's body that is not read any more, so that its memory can serve again.
    func giveBack(_ body: [UInt8])
}

extension StreamSource {
    package func giveBack(_ body: [UInt8]) {}
    package func design(of table: TableDescription) async throws(DynamoDBError) -> TableDesign { table.design }
    package var clockLead: Duration { .zero }
    package var readsMadeAgain: Int { 0 }

    /// Where nobody asks how its tries fare.
    package func iterator(
        _ type: IteratorType, at number: SequenceNumber?, shard: ShardKey
    ) async throws(DynamoDBError) -> ShardIterator {
        try await iterator(type, at: number, shard: shard, onFailure: {})
    }
}

extension DynamoDBClient: StreamSource {}
