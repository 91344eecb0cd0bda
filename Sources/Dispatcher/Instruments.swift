package import CoreMetrics
package import StreamModel
internal import Synchronization
internal import Targets

/// What the daemon counts and times as it goes, once a batch and never once a record.
///
/// What journal and vital signs say already is not counted here: whoever asks for metrics reads it there.
package final class Instruments: Sendable {
    package enum Name {
        package static let recordsApplied = "shake_records_applied_total"
        package static let bytesApplied = "shake_applied_bytes_total"
        package static let itemsScanned = "shake_scan_items_written_total"
        package static let recordsRefused = "shake_records_refused_total"
        package static let targetWrite = "shake_target_write_seconds"
        package static let targetRetries = "shake_target_retries_total"
    }

    private struct Table: Sendable {
        let records: Counter
        let bytes: Counter
        let items: Counter
        let refused: Counter
    }

    private let factory: any MetricsFactory
    private let tables = Mutex<[TableName: Table]>([:])
    private let targetWrite: CoreMetrics.Timer
    private let targetRetries: Counter

    /// - Parameter factory: of the program's metrics; without one nothing is kept.
    package init(_ factory: any MetricsFactory = NOOPMetricsHandler.instance) {
        self.factory = factory
        targetWrite = CoreMetrics.Timer(label: Name.targetWrite, factory: factory)
        targetRetries = Counter(label: Name.targetRetries, factory: factory)
    }

    /// From now on the table is shown, at zero.
    package func begins(_ table: TableName) { _ = self[table] }

    /// All of `batch` is durable, in the target and in the journal.
    func applied(_ batch: Batch) {
        let count = batch.count
        guard count > 0 else { return }
        let table = self[batch.table.name]
        switch batch.origin {
        case .shard: table.records.increment(by: count)
        case .scan: table.items.increment(by: count)
        case .sweep, .repair: return
        }
        table.bytes.increment(by: batch.bytes)
    }

    /// A record of the table was put aside.
    func refused(of table: TableName) { self[table].refused.increment() }

    /// The target acknowledged a write.
    func wrote(in duration: Duration) {
        let (seconds, attoseconds) = duration.components
        targetWrite.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    func writesAgain() { targetRetries.increment() }

    private subscript(table: TableName) -> Table {
        tables.withLock { tables in
            if let known = tables[table] { return known }
            func counter(_ name: String) -> Counter {
                Counter(label: name, dimensions: [("table", table.text)], factory: factory)
            }
            let new = Table(
                records: counter(Name.recordsApplied), bytes: counter(Name.bytesApplied),
                items: counter(Name.itemsScanned), refused: counter(Name.recordsRefused))
            tables[table] = new
            return new
        }
    }
}
