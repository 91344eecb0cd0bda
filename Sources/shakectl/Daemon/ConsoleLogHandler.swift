internal import Dispatcher
internal import Logging
internal import StreamModel

/// Log lines on standard error: for a person, or for a collector.
struct ConsoleLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    private let format: LogFormat
    private let palette: Palette
    private let write: @Sendable (String) -> Void
    private let now: @Sendable () -> Timestamp

    init(
        level: Logger.Level, format: LogFormat, palette: Palette,
        write: @escaping @Sendable (String) -> Void = { StandardError.shared.line($0) },
        now: @escaping @Sendable () -> Timestamp = { Timestamp.now() }
    ) {
        logLevel = level
        self.format = format
        self.palette = palette
        self.write = write
        self.now = now
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let metadataProvider { all.merge(metadataProvider.get()) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        let pairs = all.map { (name: $0.key, value: Self.words($0.value)) }.sorted { $0.name < $1.name }
        switch format {
        case .text: write(text(event, pairs))
        case .json: write(json(event, pairs))
        }
    }

    /// `2026-11-23 16:32:34.123Z info  following table=orders shards=4`
    private func text(_ event: LogEvent, _ pairs: [(name: String, value: String)]) -> String {
        let level = event.level.rawValue
        let padded = level + String(repeating: " ", count: max(0, 7 - level.count))
        let head = palette.paint("\(Spoken.time(now()))Z", .dim) + " " + palette.paint(padded, event.level.colour)
        let message = Self.oneLine(event.message.description)
        let facts = pairs.map { " \(palette.paint("\($0.name)=", .dim))\(Self.quoted($0.value))" }.joined()
        return "\(head) \(message)\(facts)"
    }

    private func json(_ event: LogEvent, _ pairs: [(name: String, value: String)]) -> String {
        var members: [JSON.Member] = [
            .init("time", .string(now().description)), .init("level", .string(event.level.rawValue)),
            .init("message", .string(event.message.description)),
        ]
        // A fact never hides what every line has.
        let taken = Set(members.map(\.name))
        members += pairs.map { .init(taken.contains($0.name) ? "\($0.name)_" : $0.name, .string($0.value)) }
        return JSON.object(members).line
    }

    private static func words(_ value: Logger.Metadata.Value) -> String {
        if case .stringConvertible(let duration as Duration) = value { Spoken.duration(duration) } else { "\(value)" }
    }

    private static func quoted(_ value: String) -> String {
        let isPlain = !value.isEmpty && !value.contains { $0.isWhitespace || $0.isNewline || $0 == "\"" || $0 == "=" }
        return isPlain ? value : JSON.string(value).line
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

extension Logger.Level {
    fileprivate var colour: Palette.Colour? {
        switch self {
        case .trace, .debug: .dim
        case .info, .notice: .green
        case .warning: .yellow
        case .error, .critical: .red
        }
    }
}
