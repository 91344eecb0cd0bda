package import StreamModel

/// Hears how far long work has come, for whoever looks at a terminal.
package protocol ProgressObserver: Sendable {
    /// Called after each page of a full sync.
    func scanned(_ progress: ScanProgress)
}

/// How far the full sync of a table has come.
package struct ScanProgress: Hashable, Sendable {
    package let table: TableName
    /// Durable in the target, earlier runs of the same sync included.
    package let items: UInt64
    package let bytes: UInt64
    /// What the service says that the table holds, up to six hours old (API Reference, DescribeTable); 0 if it doesn't know.
    package let estimatedItems: Int64
    package let segmentsFinished: Int
    package let totalSegments: Int
    /// In this run.
    package let itemsThisRun: UInt64
    package let elapsed: Duration
    package let isFinished: Bool
}

/// Nobody looks.
package struct NoProgress: ProgressObserver {
    package init() {}
    package func scanned(_ progress: ScanProgress) {}
}
