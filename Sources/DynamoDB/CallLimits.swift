internal import Curl

/// Calls a second that one process makes at most, its second tries among them.
package struct CallLimits: Hashable, Sendable {
    /// No rate is documented for DynamoDB Streams; it is what a thousand idle shards are asked, and a bound of what a mistake
    /// costs. GetShardIterator, for which none is documented either, has as many of its own.
    package var getRecords: Int
    /// Of one table's shards; `nil` is what the process may.
    package var getRecordsPerTable: Int?
    /// The service takes ten (API Reference); whether from a stream or from an account it doesn't say, so two are left to others.
    package var describeStream: Int
    /// Of one table's stream; `nil` is what the process may.
    package var describeStreamPerTable: Int?

    /// Calls that are under way at one time; more wait for one of them to end.
    package static let atOnce = HTTPSettings().maximumTransfers
    /// How long a call may take until it is given up, with all its tries.
    package static let longest = HTTPSettings().totalTimeout * RetryPolicy().maximumAttempts

    package init(
        getRecords: Int = 1000, getRecordsPerTable: Int? = nil, describeStream: Int = 8,
        describeStreamPerTable: Int? = nil
    ) {
        self.getRecords = getRecords
        self.getRecordsPerTable = getRecordsPerTable
        self.describeStream = describeStream
        self.describeStreamPerTable = describeStreamPerTable
    }

    /// The line in which a call about one object waits, before that of all of its kind; `nil` where it needn't.
    func rateOfOne(_ operation: Operation) -> Int? { operation == .describeStream ? describeStreamPerTable : nil }

    /// The line in which a call waits before it is made, and before it is made again; `nil` where it needn't.
    func rate(of operation: Operation) -> Int? {
        switch operation {
        case .describeStream: describeStream
        case .getShardIterator: getRecords
        // Whose turn that is the dispatcher says, which knows the shards.
        case .getRecords: nil
        case .describeTable, .listTables, .scan, .batchGetItem, .updateTable, .batchWriteItem, .transactWriteItems,
            .createTable, .deleteTable, .describeTimeToLive, .updateTimeToLive, .listTagsOfResource, .tagResource:
            nil
        }
    }
}
