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
    let lag: Duration?
    let records: UInt64
    let shards: [Status: Int]
    let lastError: String?
    /// What the stream no longer had, and what nobody has acknowledged or the table stands still for.
    let losses: [LossView]
    /// Records that wait in dead-letters.jsonl.
    let deadLetters: Int
    /// How long ago its shards were listed, the shard that was read longest ago was read, and the target acknowledged a write;
    /// as a running daemon says.
    let listed: Duration?
    let read: Duration?
    let acknowledged: Duration?

    /// One for each table that the journal knows, or that a running daemon works on, by name.
    static func all(tables: [TableState], checkpoints: [Checkpoint], daemon: DaemonPresence, now: Timestamp)
        -> [TableStatus]
    {
        let shards = Dictionary(grouping: checkpoints, by: \.shard.table)
        let states = Dictionary(tables.map { ($0.table, $0) }) { first, _ in first }
        let worked = daemon.signs?.tables.map { TableName($0.name) } ?? []
        return Set(shards.keys).union(states.keys).union(worked).sorted().map { name in
            TableStatus(
                state: states[name] ?? TableState(table: name), checkpoints: shards[name] ?? [], daemon: daemon,
                now: now)
        }
    }

    private init(state: TableState, checkpoints: [Checkpoint], daemon: DaemonPresence, now: Timestamp) {
        table = state.table
        stream = state.stream ?? checkpoints.max { $0.position < $1.position }?.shard.stream
        losses = LossView.all(of: state.table, state, checkpoints).filter { $0.isOpen || $0.stops }
        deadLetters = state.refusals.count + checkpoints.reduce(0) { $0 + $1.refusals.count }
        phase = state.phase
        // Shards of a stream that was replaced are history.
        let signs = daemon.signs
        let current = checkpoints.filter { state.stream == nil || $0.shard.stream == state.stream }
        lag = current.compactMap { Lag.of($0, sign: signs?[$0.shard], now: now) }.max()
        let own = signs?[state.table]
        let age = { (time: Timestamp?) in time.map { max(.zero, now - $0) } }
        listed = age(own?.listed)
        read = age(own?.shards.map { $0.page ?? $0.taken }.min())
        acknowledged = age(signs?.target.acknowledged)
        records = checkpoints.reduce(0) { $0 + $1.records }
        shards = checkpoints.reduce(into: [:]) { $0[$1.status, default: 0] += 1 }
        let faults = checkpoints.compactMap { checkpoint in
            checkpoint.lastFault.map { (fault: $0, shard: Optional(checkpoint.shard.shard)) }
        }
        let newest = (faults + (state.lastFault.map { [(fault: $0, shard: nil)] } ?? []))
            .max { $0.fault.time < $1.fault.time }
        lastError = newest.map { Self.describe($0.fault, of: $0.shard) }
        (health, reason) = Self.assess(state, current, daemon, lag, losses, deadLetters, now)
    }

    /// The rule of health: first what stops everything, then what an operator must repair, then what repairs itself.
    private static func assess(
        _ state: TableState, _ checkpoints: [Checkpoint], _ daemon: DaemonPresence, _ lag: Duration?,
        _ losses: [LossView], _ deadLetters: Int, _ now: Timestamp
    ) -> (Health, String) {
        if case .notRunning(let why) = daemon { return (.stopped, "no daemon is running; \(why)") }
        if let loss = losses.first(where: \.stops) { return (.failed, "\(loss.words); \(loss.advice)") }

        // Whatever happened to one of the table's shards since says that the table is worked on again.
        let lastProgress = checkpoints.map(\.updated).max() ?? Timestamp(microseconds: 0)
        let isRead = checkpoints.contains { $0.status == .inProcessing }
        if let fault = state.lastFault, fault.time >= state.updated, fault.time >= lastProgress {
            return (isRead && fault.isRetried ? .degraded : .failed, describe(fault, of: nil))
        }

        // What the daemon says of itself is newer than what it has journaled.
        let complaints = daemon.signs.map { Health.complaints(of: state.table, $0, now: now) } ?? []
        if let worst = complaints.first { return (worst.health, worst.reason) }

        let stuck = checkpoints.filter { $0.endsWithFault && !$0.status.letsChildrenStart }
        if let worst = stuck.min(by: { $0.updated < $1.updated }), let fault = worst.lastFault {
            let others = stuck.count > 1 ? " (and \(Spoken.count(UInt64(stuck.count - 1), "other shard")))" : ""
            return (.degraded, describe(fault, of: worst.shard.shard) + others)
        }

        if let lag, lag > dangerousLag {
            return (.degraded, "\(Spoken.duration(lag)) behind: the stream keeps its records for 24 h")
        }
        if let loss = losses.first { return (.degraded, "\(loss.words); \(loss.advice)") }
        if deadLetters > 0 {
            return (
                .degraded,
                "\(Spoken.count(UInt64(deadLetters), "record")) wait as dead letters: `shakectl dead-letters` lists them"
            )
        }
        return (.ok, activity(state, checkpoints))
    }

    /// Half of what the stream keeps (24 h): time enough to act.
    private static let dangerousLag = Duration.seconds(12 * 3600)

    private static func activity(_ state: TableState, _ checkpoints: [Checkpoint]) -> String {
        if state.phase == .fullSync {
            let total = state.segments.first?.totalSegments
            let finished = state.segments.filter(\.isFinished).count
            let segments = total.map { ", \(finished) of \(Spoken.count(UInt64($0), "segment")) finished" } ?? ""
            let why = state.reason.isEmpty ? "" : " (\(state.reason))"
            return "full sync\(why): \(Spoken.count(state.items, "item"))\(segments)"
        }
        let read = checkpoints.filter { $0.status == .inProcessing }.count
        if read > 0 { return "following \(Spoken.count(UInt64(read), "shard"))" }
        if checkpoints.isEmpty { return "no shard is known yet" }
        if checkpoints.allSatisfy({ $0.status.letsChildrenStart }) { return "every known shard was read to its end" }
        return "waiting to be taken up"
    }

    private static func describe(_ fault: Checkpoint.Fault, of shard: ShardID?) -> String {
        "\(fault.code): \(fault.message) (\(shard.map { "shard \($0), " } ?? "")\(fault.time))"
    }
}
