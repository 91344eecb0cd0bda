internal import Dispatcher
internal import Journal
internal import Prometheus
internal import StatusServer
internal import StreamModel
internal import Targets

/// Answers for a running daemon out of its journal and its vital signs, by the views of the commands.
///
/// One question after the other, on a thread of its own: however many ask, the daemon's own threads go on. What says how the
/// daemon fares is not in that row.
actor DaemonAnswers: StatusAnswers {
    private let executor = BlockingExecutor(label: "shake.http")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let journal: Journal
    private let signs: LatestSigns
    private let registry: Registry
    private let overview: RecentStatus
    private let heldBytes: @Sendable () -> (now: Int, most: Int)

    /// - Parameters:
    ///   - who: runs the daemon, as the journal's lock says it.
    ///   - heldBytes: of pages, now and at most.
    ///   - process: reads what this process costs.
    init(
        _ journal: Journal, _ signs: LatestSigns, _ registry: Registry, who: String,
        heldBytes: @escaping @Sendable () -> (now: Int, most: Int),
        process: @escaping @Sendable () -> ProcessFacts = ProcessFacts.now
    ) {
        self.journal = journal
        self.signs = signs
        self.registry = registry
        self.heldBytes = heldBytes
        overview = RecentStatus(journal, signs, who: who, process: process)
    }

    // MARK: - Health

    /// Without the journal, and not in the row of questions: what keeps them from being answered is no sign of death.
    nonisolated func liveness() async -> Verdict { Self.liveness(silentFor: signs.age, hang: signs.signs?.hang) }

    /// - Parameters:
    ///   - silence: since when the daemon has not said how it fares; `nil`: it has yet to begin.
    ///   - hang: what it said then that it hangs in, for which a service manager would start it again.
    static func liveness(silentFor silence: Duration?, hang: String?) -> Verdict {
        let limit = Health.Limits().silence
        guard let silence else { return verdict(true, "live", "it is starting") }
        guard silence > limit else {
            if let hang { return verdict(false, "live", "it hangs: \(hang); look at its log, and start it again") }
            return verdict(true, "live", "it said how it fares \(Spoken.duration(silence)) ago")
        }
        return verdict(
            false, "live",
            "it has not said how it fares for \(Spoken.duration(silence)), which it does every other second: it hangs; look at its "
                + "log and its disk, and start it again")
    }

    nonisolated func readiness() async -> Verdict {
        guard let names = signs.signs?.tables.map(\.name) else { return Self.verdict(false, "ready", "it is starting") }
        do throws(ShakectlError) {
            let worked = Set(names)
            return Self.readiness(try await overview.view().tables.filter { worked.contains($0.table.text) })
        } catch {
            return Self.verdict(false, "ready", "\(error)")
        }
    }

    /// The rule of `status --check`, for the tables that this daemon works on.
    static func readiness(_ tables: [TableStatus]) -> Verdict {
        guard !tables.isEmpty else { return verdict(false, "ready", "no table is followed yet") }
        return Verdict(
            isGood: tables.allSatisfy { $0.health == .ok },
            lines: tables.map { table in
                let line: JSON = [
                    "ready": .bool(table.health == .ok), "table": .string(table.table.text),
                    "health": .string(table.health.rawValue), "reason": .string(table.reason),
                ]
                return line.line
            })
    }

    private static func verdict(_ isGood: Bool, _ name: String, _ reason: String) -> Verdict {
        let line: JSON = [name: .bool(isGood), "reason": .string(reason)]
        return Verdict(isGood: isGood, lines: [line.line])
    }

    // MARK: - Metrics

    nonisolated func metrics() async throws(RequestRefusal) -> String {
        let (recent, figures) = (try await recent(), try await figures())
        // From here on nothing is read: this is on a thread that the daemon's own work needs.
        let view = MetricsView(
            status: recent, signs: signs.signs, heldBytes: heldBytes(), journal: figures.journal,
            process: figures.process, started: overview.started, now: .now())
        return Exposition.text(registry.metrics + view.families)
    }

    private nonisolated func figures() async throws(RequestRefusal) -> RecentStatus.Figures {
        do throws(ShakectlError) { return try await overview.figures() } catch { throw Self.refusal(error) }
    }

    // MARK: - The API

    func status() throws(RequestRefusal) -> [String] {
        try answering { () throws(ShakectlError) in try overview.ask().json.map(\.line) }
    }

    nonisolated func recentStatus() async throws(RequestRefusal) -> [String] { try await recent().json.map(\.line) }

    private nonisolated func recent() async throws(RequestRefusal) -> StatusView {
        do throws(ShakectlError) { return try await overview.view() } catch { throw Self.refusal(error) }
    }

    func shards(of table: String?) throws(RequestRefusal) -> [String] {
        try answering { () throws(ShakectlError) in
            try ShardsView(journal, of: table, signs.signs, now: .now()).json.map(\.line)
        }
    }

    func history(_ question: Route.HistoryQuestion) throws(RequestRefusal) -> [String] {
        let now = Timestamp.now()
        let since = try Self.moment(question.since, "since")?.timestamp(now: now)
        let until = try Self.moment(question.until, "until")?.timestamp(now: now)
        let kinds = try Self.kinds(question.kinds)
        let query = HistoryQuery(
            since: since, until: until, kinds: kinds.isEmpty ? nil : kinds, limit: question.limit,
            newestFirst: question.newestFirst)
        return try answering { () throws(ShakectlError) in
            try asking { () throws(JournalError) in
                try journal.history(of: try journal.shard(matching: question.shard), query)
            }.map { EventView($0).json.line }
        }
    }

    func state(of shard: String, at: String?) throws(RequestRefusal) -> [String] {
        var instant: Instant?
        if let at {
            instant = Instant(argument: at)
            if instant == nil {
                throw RequestRefusal(400, "at expects a position of the journal such as 812, or \(Moment.expects)")
            }
        }
        return try answering { () throws(ShakectlError) in
            let key = try asking { () throws(JournalError) in try journal.shard(matching: shard) }
            let standing = try journal.standing(of: key, at: instant, now: .now())
            guard let checkpoint = standing.checkpoint else {
                throw .usage("shard \(key): the journal did not know it then")
            }
            return [StateView(checkpoint: checkpoint, folded: standing.folded).json.line]
        }
    }

    func lastPosition() throws(RequestRefusal) -> UInt64 {
        try answering { () throws(ShakectlError) in try asking(journal.lastPosition).number }
    }

    func events(after position: UInt64, limit: Int) throws(RequestRefusal) -> [JournalLine] {
        try answering { () throws(ShakectlError) in
            try asking { () throws(JournalError) in try journal.events(after: Position(position), limit: limit) }
                .map { JournalLine(position: $0.position.number, json: EventView($0).json.line) }
        }
    }

    private static func moment(_ text: String?, _ name: String) throws(RequestRefusal) -> Moment? {
        guard let text else { return nil }
        guard let moment = Moment(argument: text) else {
            throw RequestRefusal(400, "\(name) expects \(Moment.expects)")
        }
        return moment
    }

    private static func kinds(_ names: [String]) throws(RequestRefusal) -> Set<String> {
        for name in names where !EventKinds.all.contains(name) {
            let nearest = NearestName.of(name, in: EventKinds.all) ?? ""
            throw RequestRefusal(400, "event: unknown kind '\(name)': did you mean '\(nearest)'?")
        }
        return Set(names)
    }

    // MARK: - Asking the journal

    private func answering<Answer>(
        _ ask: () throws(ShakectlError) -> Answer
    ) throws(RequestRefusal) -> Answer {
        do { return try ask() } catch { throw Self.refusal(error) }
    }

    private static func refusal(_ error: ShakectlError) -> RequestRefusal {
        RequestRefusal(status(of: error), "\(error)")
    }

    /// What isn't there is not found; all else is the daemon's.
    static func status(of error: ShakectlError) -> Int {
        switch error {
        case .usage, .journal(.noSuchShard), .journal(.ambiguousShard), .journal(.noSuchPosition): 404
        default: 503
        }
    }
}
