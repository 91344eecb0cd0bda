internal import Dispatcher
internal import StreamModel

/// One line about the full syncs that are under way: items, share, rate, time left.
struct ScanProgressLine: Sendable {
    private var tables: [TableName: ScanProgress] = [:]

    mutating func update(_ name: TableName, _ progress: ScanProgress) {
        tables[name] = progress.isFinished ? nil : progress
    }

    /// - Parameter width: of the terminal; a line that wrapped could not be drawn over.
    func text(width: Int = 79) -> String {
        let parts = tables.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.words)" }
        let line = parts.joined(separator: " | ")
        return line.count <= width ? line : line.prefix(width - 1) + "…"
    }
}
