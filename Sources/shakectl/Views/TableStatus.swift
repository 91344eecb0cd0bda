internal import Dispatcher
internal import Journal
internal import StreamModel

/// What `status` says of one table.
struct TableStatus: Hashable, Sendable {
    let table: TableName
    let stream: StreamARN?
    let phase: Phase?
    let health: Health
    let reason: String
    /// A daemon runs, and the table is none of its own.
    let isLeftOut: Bool
    let lag: Duration?
    let records: UInt64
    let shards: [Status: Int]
    let lastError: String?
    /// What the stream no longer had, and what nobody has acknowledged or the table stands still for.
    let losses: [KnownLoss]
    /// What an operator has said is not to be read: all of it, or shards of it.
    let pauses: [KnownPause]
    /// When this was asked.
    let now: Timestamp
    /// Records that wait in dead-letters.jsonl.
    let deadLetters: Int
    /// How long ago its shards were listed, the shard that was read longest ago was read, and the target acknowledged a write;
    /// as a running daemon says.
    let listed: Duration?
    let read: Duration?
    let acknowledged: Duration?
    /// How far its full sync has come, where one is under way.
    let scan: ScanProgress?
    /// The options that say which journal it is, for commands that are to be pasted (`Shell.more`).
    let place: String

    /// One for each table that the journal knows, or that a running daemon works on, by name.
    static func all(
        tables: [TableState], checkpoints: [Checkpoint], daemon: DaemonPresence, now: Timestamp, place: String = ""
    ) -> [TableStatus] {
        let shards = Dictionary(grouping: checkpoints, by: \.shard.table)
        let states = Dictionary(tables.map { ($0.table, $0) }) { first, _ in first }
        let worked = daemon.signs?.tables.map { TableName($0.name) } ?? []
        return Set(shards.keys).union(states.keys).union(worked).sorted().map { name in
            TableStatus(
                state: states[name] ?? TableState(table: name), checkpoints: shards[name] ?? [], daemon: daemon,
                now: now, place: place)
        }
    }

    private init(
        state: TableState, checkpoints: [Checkpoint], daemon: DaemonPresence, now: Timestamp, place: String
    ) {
        table = state.table
        self.now = now
        self.place = place
        stream = state.stream ?? checkpoints.max { $0.position < $1.position }?.shard.stream
        losses = Health.losses(state, checkpoints)
        pauses = KnownPause.all(state, checkpoints)
        deadLetters = Health.deadLetters(state, checkpoints)
        phase = state.phase
        let signs = daemon.signs
        let current = Health.current(state, checkpoints)
        isLeftOut = signs.map { !Health.isFollowed(state, $0) } ?? false
        let isAwaited = signs.map { Health.isAwaited(state, $0) } ?? false
        // Nobody is on the way to what a table that is left out does not have.
        lag = isLeftOut ? nil : Health.lag(current, signs, now: now)
        let own = signs?[state.table]
        let age = { (time: Timestamp?) in time.map { max(.zero, now - $0) } }
        listed = age(own?.listed)
        read = age(own?.shards.map { $0.page ?? $0.taken }.min())
        acknowledged = age(signs?.target.acknowledged)
        // What the journal says is durable; the rest only a running daemon can say.
        scan = state.phase == .fullSync ? own?.progress ?? Self.progress(state) : nil
        records = checkpoints.reduce(0) { $0 + $1.records }
        shards = checkpoints.reduce(into: [:]) { $0[$1.status, default: 0] += 1 }
        let faults = checkpoints.compactMap { checkpoint in
            checkpoint.lastFault.map { (fault: $0, shard: Optional(checkpoint.shard.shard)) }
        }
        // What orders an operator to act is no error that was: it stands, or it was done and is misleading.
        let whole = state.lastFault.flatMap { $0.isOrder && !Health.stands($0, state, current) ? nil : $0 }
        let newest = (faults + (whole.map { [(fault: $0, shard: nil)] } ?? []))
            .max { $0.fault.time < $1.fault.time }
        lastError = newest.map { $0.fault.spoken(of: $0.shard) }
        if let why = daemon.absence {
            let imported = checkpoints.contains { $0.importedSince != nil && !$0.status.letsChildrenStart }
            (health, reason) = (
                .stopped,
                "no daemon is running; \(why)"
                    + (imported ? "; it was imported, and shards of it are not read yet" : "")
            )
            return
        }
        let worst = Health.worst(of: state, checkpoints, signs, now: now, place: place)
        var assessed =
            worst.map { ($0.health, $0.reason) }
            ?? (
                .ok,
                isAwaited ? Self.awaited : Self.activity(state, scan, current, pauses, now: now)
            )
        // What the journal says of a table then is of before.
        if case .silent(_, let why) = daemon, assessed.0 < .failed { assessed = (.failed, why) }
        (health, reason) = assessed
    }

    private static func progress(_ state: TableState) -> ScanProgress? {
        guard let total = state.segments.first?.totalSegments else { return nil }
        return ScanProgress(
            items: state.items, bytes: state.segments.reduce(0) { $0 + $1.bytes }, estimatedItems: 0,
            segmentsFinished: state.segments.filter(\.isFinished).count, totalSegments: Int(total), readers: 0)
    }

    private static let awaited =
        "the daemon has just begun: whether it follows the table is known once the account's tables are listed"

    private static func activity(
        _ state: TableState, _ scan: ScanProgress?, _ checkpoints: [Checkpoint], _ pauses: [KnownPause], now: Timestamp
    ) -> String {
        if let removed = state.removed {
            let unread = checkpoints.count { !$0.status.letsChildrenStart }
            return "the source has it no more, as was seen \(Spoken.time(removed).prefix(19)); what is known of it stays"
                + (unread > 0
                    ? "; \(Spoken.count(UInt64(unread), "shard")) not read to the end, and what was left in there is gone with it"
                    : ", and nothing is to be done")
        }
        if let own = pauses.first(where: { $0.shard == nil }) { return "\(own.words); \(own.outlook(now: now))" }
        if state.phase == .fullSync {
            let why = state.reason.isEmpty ? "" : " (\(state.reason))"
            return "full sync\(why): " + (scan.map { "\($0.words), \($0.segmentWords)" } ?? "nothing is scanned yet")
        }
        let read = checkpoints.filter { $0.status == .inProcessing }.count
        if read > 0 { return "following \(Spoken.count(UInt64(read), "shard"))" }
        if checkpoints.isEmpty { return "no shard is known yet" }
        if checkpoints.allSatisfy({ $0.status.letsChildrenStart }) { return "every known shard was read to its end" }
        return "waiting to be taken up"
    }
}

extension Checkpoint.Fault {
    /// Whether its text says what an operator has to do before the table goes on.
    fileprivate var isOrder: Bool { ["RangeLost", "NeedsFullSync", "TooManyRefused"].contains(code) }
}
