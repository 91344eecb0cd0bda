internal import Dispatcher
internal import Journal
internal import StreamModel

/// `status --watch` for whoever reads lines and not a screen: one of each table at first, and then of those that have changed.
struct WatchLines: Sendable {
    private var said: [TableName: Said] = [:]

    /// What counts as a change. Ages and the lag move with the clock, and are none by themselves.
    private struct Said: Hashable {
        let health: Health
        let phase: Phase?
        let reason: String
        let records: UInt64
        let items: UInt64?
        let shards: [Status: Int]
        let lastError: String?
        let deadLetters: Int
        let losses: [KnownLoss]
        let pauses: [KnownPause]
        let isBehind: Bool

        init(_ table: TableStatus) {
            health = table.health
            phase = table.phase
            // "for 45 s", "3 times": what it is about stays the same.
            reason = table.reason.filter { !$0.isNumber }
            records = table.records
            items = table.scan?.items
            shards = table.shards
            lastError = table.lastError
            deadLetters = table.deadLetters
            losses = table.losses
            pauses = table.pauses
            isBehind = table.lag.map { $0 > .seconds(60) } ?? false
        }
    }

    /// Those of `tables` that are not as they were when this was last asked.
    mutating func changed(_ tables: [TableStatus]) -> [TableStatus] {
        tables.filter { table in
            let now = Said(table)
            return said.updateValue(now, forKey: table.table) != now
        }
    }

    static func line(_ table: TableStatus, rate: Double?, _ palette: Palette) -> String {
        let facts = [
            Spoken.time(table.now), palette.paint(table.table.text, .bold),
            palette.paint(table.health.rawValue, table.health.colour), table.phase?.rawValue ?? "-",
            "lag \(table.lag.map(Spoken.duration) ?? "-")", Spoken.count(table.records, "record"),
            Spoken.rate(rate), table.spokenShards,
        ]
        let notes = table.health == .stopped ? [.init(table.reason)] + table.notes : table.notes
        return (facts + notes.map { palette.paint(TerminalText.printable($0.text), $0.colour) }).joined(separator: "  ")
    }

    static func json(_ table: TableStatus, rate: Double?) -> JSON {
        guard case .object(let members) = table.json else { return table.json }
        return .object(
            [.init("time", .string(table.now.description))] + members
                + [.init("records_per_second", rate.map { .number(($0 * 10).rounded() / 10) } ?? .null)])
    }
}
