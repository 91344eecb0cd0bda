internal import Dispatcher
internal import StreamModel

/// What a service manager is told of how the daemon fares, in the words of sd_notify(3): that it is up, what it does, and,
/// as long as it gets on, that it lives.
///
///     starting ──a table is followed, or a minute is over──▶ up ──stop──▶ stopping
///
/// A daemon that is up and hangs says nothing until it gets on again: whoever waits for its word ends it then.
struct ServiceNotices: Equatable, Sendable {
    enum Phase: Equatable, Sendable { case starting, up, stopping }

    /// A daemon none of whose tables can begin ends by itself, before that. One that is still there waits for something, such as
    /// a stream that is being enabled, and whoever starts it need not: that is a matter of health.
    static let patience: Duration = .seconds(60)

    private(set) var phase = Phase.starting
    private let began: Duration
    /// What the manager was last told, in substance; the same is not said twice.
    private var status: String?

    /// - Parameter began: as `uptime` counts.
    init(began: Duration) { self.began = began }

    /// What to say now.
    ///
    /// - Parameter uptime: of the machine, by a clock that nobody sets.
    /// - Returns: `nil`: nothing.
    func message(of signs: VitalSigns, uptime: Duration) -> Message? {
        if phase == .stopping { return nil }
        let hang = signs.hang
        let isUp = phase == .up || signs.isUp == true || uptime - began >= Self.patience
        var message = Message()
        if isUp, phase == .starting { message.phase = .up }
        if isUp, hang == nil { message.lives = true }
        let line = hang.map { "hangs: \($0)" } ?? Self.status(of: signs, isUp: isUp)
        if Self.substance(of: line) != status { message.status = line }
        return message == Message() ? nil : message
    }

    /// What to say once the daemon was asked to stop, and once it has come to its end.
    func farewell(_ reason: String) -> Message? {
        let message = Message(
            phase: phase == .stopping ? nil : .stopping, status: Self.substance(of: reason) == status ? nil : reason)
        return message == Message() ? nil : message
    }

    /// It was said. What could not be sent is said again the next time.
    mutating func sent(_ message: Message) {
        if let phase = message.phase { self.phase = phase }
        if let status = message.status { self.status = Self.substance(of: status) }
    }

    /// One datagram.
    struct Message: Equatable, Sendable {
        var phase: Phase?
        var status: String?
        /// Feeds the watchdog.
        var lives = false

        /// A variable a line.
        var text: String {
            var lines: [String] = []
            switch phase {
            case .up: lines.append("READY=1")
            case .stopping: lines.append("STOPPING=1")
            case .starting, nil: break
            }
            if let status {
                let line = status.split(whereSeparator: \.isNewline).joined(separator: " ")
                lines.append("STATUS=" + String(line.prefix(300)))
            }
            if lives { lines.append("WATCHDOG=1") }
            return lines.joined(separator: "\n")
        }
    }

    // MARK: - One line

    /// Without what grows while nothing else changes, for which nobody has to be told every other second: seconds, tries, sizes.
    /// Minutes and more stay, so the line is told again now and then.
    private static func substance(of line: String) -> String {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        return zip(words, words.dropFirst() + [""]).map { word, next in
            let unit = next.prefix { $0.isLetter }
            return growing.contains(String(unit)) && word.contains { $0.isNumber } ? "#" : String(word)
        }.joined(separator: " ")
    }

    private static let growing: Set = ["s", "times", "transactions", "B", "KiB", "MiB", "GiB"]

    /// `following 3 tables, 1 of them scanned; 1 not ok: orders: the list of shards is tried again …`
    private static func status(of signs: VitalSigns, isUp: Bool) -> String {
        guard !signs.tables.isEmpty else {
            guard isUp else { return "starting" }
            return signs.unlisted == nil ? "no table matches yet" : "the account's tables are not listed yet"
        }
        let names = signs.tables.count == 1 ? signs.tables[0].name : "\(signs.tables.count) tables"
        let scanned = signs.tables.filter { $0.scanMoved != nil }.count
        var line = isUp ? "following \(names)" : "starting to follow \(names)"
        if scanned > 0 { line += signs.tables.count == 1 ? ", scanning it" : ", scanning \(scanned) of them" }
        let complaints = signs.tables.compactMap { table in
            Health.complaints(of: TableName(table.name), signs, now: signs.written).first.map {
                (name: table.name, complaint: $0)
            }
        }
        guard let worst = complaints.max(by: { $0.complaint.health < $1.complaint.health }) else { return line }
        return line + "; \(worst.complaint.health.rawValue): \(complaints.count) of \(signs.tables.count), "
            + "\(worst.name): \(worst.complaint.reason)"
    }
}
