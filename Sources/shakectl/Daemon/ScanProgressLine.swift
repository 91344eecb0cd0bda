internal import Dispatcher
internal import StreamModel

/// One line about the full syncs that are under way: items, share, rate, time left.
struct ScanProgressLine: Sendable {
    /// How far one table is.
    struct Table: Hashable, Sendable {
        var items: UInt64
        /// What the service says that the table holds, up to six hours old; zero or less where it doesn't know.
        var estimate: Int64
        /// Of this run: what was read before says nothing about the rate.
        var itemsThisRun: UInt64
        var elapsed: Duration
    }

    private var tables: [TableName: Table] = [:]

    /// - Parameter table: `nil` when its sync is finished.
    mutating func update(_ name: TableName, _ table: Table?) { tables[name] = table }

    /// - Parameter width: of the terminal; a line that wrapped could not be drawn over.
    func text(width: Int = 79) -> String {
        let parts = tables.sorted { $0.key < $1.key }.map { "\($0.key): \(Self.words($0.value))" }
        let line = parts.joined(separator: " | ")
        return line.count <= width ? line : line.prefix(width - 1) + "…"
    }

    private static func words(_ table: Table) -> String {
        let seconds = Double(table.elapsed.milliseconds) / 1000
        let rate = seconds > 0 ? Double(table.itemsThisRun) / seconds : 0
        let speed = rate >= 1 ? ", \(Spoken.count(UInt64(rate)))/s" : ""
        // The estimate may be old: beyond it, nothing is known.
        guard table.estimate > 0, table.items <= UInt64(table.estimate) else {
            return Spoken.count(table.items, "item") + speed
        }
        let share = table.items * 100 / UInt64(table.estimate)
        let left = Double(UInt64(table.estimate) - table.items) / rate
        let rest = rate >= 1 && left < 1e7 ? ", \(Spoken.duration(.seconds(Int64(left)))) left" : ""
        return
            "\(Spoken.count(table.items)) of ~\(Spoken.count(UInt64(table.estimate))) items, \(share) %\(speed)\(rest)"
    }
}
