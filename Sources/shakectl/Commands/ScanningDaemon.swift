internal import Dispatcher
internal import Journal
internal import StreamModel

/// The daemon that is to follow a word to scan a table, as far as it says what it does.
struct ScanningDaemon: Sendable {
    /// In which mode it runs or, where none runs, the last one did; `nil` where that can't be told.
    let mode: DaemonConfiguration.Mode?
    /// What it works on; `nil`: none runs.
    let tables: Set<String>?

    /// - Throws: `.tryAgain` where one runs that has not said yet what it does: it may be one that never scans.
    static func of(_ journal: Journal) throws(ShakectlError) -> ScanningDaemon {
        let mode = VitalsFile.mode(in: journal.path)
        guard let holder = journal.daemon() else { return ScanningDaemon(mode: mode, tables: nil) }
        // What an older daemon has said may still lie there.
        guard let mode, case .signs(let signs) = VitalsFile.read(from: journal.path),
            holder.since.map({ signs.written >= $0 }) ?? true
        else {
            throw .tryAgain(
                "the daemon of this journal (\(holder.words)) has not said yet whether it scans; nothing was changed. Say it again in "
                    + "a moment; `shakectl status` tells where it stays silent")
        }
        return ScanningDaemon(mode: mode, tables: Set(signs.tables.map(\.name)))
    }

    var scans: Bool { mode != .incr }
    var isRunning: Bool { tables != nil }
    /// Whether it scans the table again or, where none runs, the next one that is like the last.
    func willScan(_ table: TableName) -> Bool { mode == .all && (!isRunning || follows(table)) }
    func follows(_ table: TableName) -> Bool { tables?.contains(table.text) ?? false }
}
