package import StreamModel

/// Hears how far long work has come, for whoever looks at a terminal.
package protocol ProgressObserver: Sendable {
    /// Called after each page of a full sync.
    func scanned(_ table: TableName, _ progress: ScanProgress)
}

/// Nobody looks.
package struct NoProgress: ProgressObserver {
    package init() {}
    package func scanned(_ table: TableName, _ progress: ScanProgress) {}
}
