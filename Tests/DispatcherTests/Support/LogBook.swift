import Logging
import Synchronization

/// Keeps what is logged as a warning or worse.
final class LogBook: Sendable {
    private let entries = Mutex<[String]>([])

    /// The messages, oldest first, without what comes with them.
    var messages: [String] { entries.withLock { $0 } }

    var logger: Logger {
        var logger = Logger(label: "tests") { _ in Handler(book: self) }
        logger.logLevel = .warning
        return logger
    }

    private struct Handler: LogHandler {
        let book: LogBook
        var logLevel: Logger.Level = .warning
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { book.entries.withLock { $0.append("\(event.message)") } }
    }
}
