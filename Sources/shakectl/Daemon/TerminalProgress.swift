internal import Dispatcher
internal import Synchronization

/// Draws the line on a terminal.
final class TerminalProgress: ProgressObserver {
    private let line = Mutex(ScanProgressLine())

    func scanned(_ progress: ScanProgress) {
        let table = ScanProgressLine.Table(
            items: progress.items, estimate: progress.estimatedItems, itemsThisRun: progress.itemsThisRun,
            elapsed: progress.elapsed)
        let text = line.withLock { line in
            line.update(progress.table, progress.isFinished ? nil : table)
            return line.text()
        }
        StandardError.shared.progress(text)
    }
}
