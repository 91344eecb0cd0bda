/// How a log line is written.
enum LogFormat: String, CaseIterable, Sendable {
    /// For a person: time, level, message, `key=value`.
    case text
    /// For a collector: one JSON object a line.
    case json
}
