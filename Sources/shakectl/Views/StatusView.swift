internal import Dispatcher
internal import Journal
internal import StreamModel

/// `status`: what is being done for each table, and whether it goes well.
struct StatusView: Sendable {
    let tables: [TableStatus]
    let daemon: DaemonPresence
    let journal: String
    /// What the newest daemon fills; empty where none has run.
    let target: String

    init(tables: [TableStatus], daemon: DaemonPresence, journal: String, target: String) {
        self.tables = tables
        self.daemon = daemon
        self.journal = journal
        self.target = target
    }

    /// - Throws: `.journal`.
    init(_ journal: Journal, _ daemon: DaemonPresence, now: Timestamp, place: String = "") throws(ShakectlError) {
        let (tables, checkpoints) = (try asking(journal.tables), try asking(journal.checkpoints))
        self.init(
            tables: TableStatus.all(
                tables: tables, checkpoints: checkpoints, daemon: daemon, now: now, place: place),
            daemon: daemon, journal: journal.path, target: try asking(journal.lastDaemonRun)?.target ?? "")
    }

    var json: [JSON] { tables.map(\.json) }

    var daemonLine: [TextTable.Cell] {
        switch daemon {
        case .running(let who, _), .silent(let who, _):
            [.init("daemon: "), .init("running", .green), .init(", \(who)")]
        case .beingCopied, .notRunning:
            [.init("daemon: "), .init("not running", .yellow), .init("; \(daemon.absence ?? "")")]
        }
    }

    func lines(_ palette: Palette) -> [String] {
        let head = daemonLine.map { palette.paint($0.text, $0.colour) }.joined()
        guard !tables.isEmpty else {
            return [
                head, "The journal \(journal) knows no table yet.",
                "Follow one: shakectl run --table NAME --target sqlite:replica.db",
            ]
        }
        var text = TextTable([
            .init("TABLE"), .init("PHASE"), .init("HEALTH"), .init("LAG", .right), .init("RECORDS", .right),
            .init("SHARDS"),
        ])
        for table in tables {
            text.rows.append(
                .cells([
                    .init(table.table.text, .bold), .init(table.phase?.rawValue ?? "-"),
                    .init(table.health.rawValue, table.health.colour),
                    .init(table.lag.map(Spoken.duration) ?? "-"), .init(Spoken.count(table.records)),
                    .init(table.spokenShards),
                ]))
            text.rows += table.notes.map { .note($0) }
        }
        return [head] + (target.isEmpty ? [] : ["target: \(target)"]) + [""] + text.lines(palette)
    }
}

extension TableStatus {
    var json: JSON {
        [
            "table": .string(table.text),
            "stream": .string(stream?.text),
            "phase": .string(phase?.rawValue),
            "health": .string(health.rawValue),
            "reason": .string(reason),
            "lag_seconds": .seconds(lag),
            "records": .unsigned(records),
            "shards": .object(
                Status.allCases.compactMap { status in
                    shards[status].map { .init(status.rawValue, .integer(Int64($0))) }
                }),
            "last_error": .string(lastError),
            "losses": .array(losses.map(\.json)),
            "pauses": .array(pauses.map(\.json)),
            "dead_letters": .integer(Int64(deadLetters)),
            "listed_seconds": .seconds(listed),
            "read_seconds": .seconds(read),
            "acknowledged_seconds": .seconds(acknowledged),
            "scan": scan?.json ?? .null,
        ]
    }

    /// What there is to say below its row.
    var notes: [TextTable.Cell] {
        var notes: [TextTable.Cell] = []
        if !reason.isEmpty, health != .stopped || isLeftOut { notes.append(.init(reason, .dim)) }
        for loss in losses where !reason.contains(loss.words) {
            notes.append(.init("\(loss.words); \(loss.advice(place))", .red))
        }
        for pause in pauses where !reason.contains(pause.words) {
            notes.append(.init("\(pause.words); \(pause.outlook(now: now))", .yellow))
        }
        let waiting = Spoken.waiting(deadLetters)
        if deadLetters > 0, reason != waiting { notes.append(.init(waiting, .red)) }
        if let error = lastError, !reason.contains(error) { notes.append(.init("last error: \(error)", .red)) }
        return notes
    }

    var spokenShards: String {
        let known = Status.allCases.filter { shards[$0] != nil }
        return known.isEmpty ? "none" : known.map { "\(shards[$0] ?? 0) \($0.rawValue)" }.joined(separator: ", ")
    }
}

extension Health {
    var colour: Palette.Colour {
        switch self {
        case .ok: .green
        case .degraded: .yellow
        case .failed: .red
        case .stopped: .yellow
        }
    }
}

extension Status {
    var colour: Palette.Colour? {
        switch self {
        case .notProcessed, .waitingForParent: nil
        case .prepared: .cyan
        case .inProcessing: .green
        case .done, .notNeeded: .dim
        case .lost: .red
        }
    }
}
