internal import Dispatcher
internal import StreamModel
internal import Synchronization

/// Draws the line on a terminal.
final class TerminalProgress: ProgressObserver {
    private struct State {
        var line = ScanProgressLine()
        var drawn: ContinuousClock.Instant?
    }

    /// Faster than this nobody can read.
    private static let interval = Duration.milliseconds(100)

    private let state = Mutex(State())

    func scanned(_ table: TableName, _ progress: ScanProgress) {
        let text: String? = state.withLock { state in
            state.line.update(table, progress)
            let now = ContinuousClock.now
            if !progress.isFinished, let drawn = state.drawn, now - drawn < Self.interval { return nil }
            state.drawn = now
            return state.line.text()
        }
        if let text { StandardError.shared.progress(text) }
    }
}
