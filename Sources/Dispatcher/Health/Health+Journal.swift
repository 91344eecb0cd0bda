package import Journal
package import StreamModel

/// The rule of health, for whoever says it: `status`, and the daemon's log.
extension Health {
    /// Half of what the stream keeps (24 h): time enough to act.
    private static let dangerousLag = Duration.seconds(12 * 3600)

    /// What is worst with a table that a daemon works on, if anything is: first what stops it, then what an operator must repair,
    /// then what repairs itself.
    ///
    /// - Parameters:
    ///   - checkpoints: all of the table.
    ///   - signs: what the daemon says of itself; `nil` where it has yet to.
    ///   - place: as `KnownLoss.advice` takes it.
    package static func worst(
        of state: TableState, _ checkpoints: [Checkpoint], _ signs: VitalSigns?, now: Timestamp, place: String = ""
    ) -> Complaint? {
        if let signs, !isFollowed(state, signs) {
            return Complaint(
                .stopped,
                "the daemon that runs (\(signs.worker)) does not follow it: the table is not among those that it was started with"
            )
        }
        let losses = losses(state, checkpoints)
        if let loss = losses.first(where: \.stops) { return Complaint(.failed, "\(loss.words); \(loss.advice(place))") }

        let current = current(state, checkpoints)
        let isRead = current.contains { $0.status == .inProcessing }
        if let fault = state.lastFault, stands(fault, state, current) {
            return Complaint(isRead && fault.isRetried ? .degraded : .failed, fault.spoken(of: nil))
        }

        // What the daemon says of itself is newer than what it has journaled.
        if let worst = signs.flatMap({ complaints(of: state.table, $0, now: now).first }) { return worst }
        if let signs, isAwaited(state, signs), let complaint = signs.unlisted?.complaint(signs.limits, now) {
            return complaint
        }

        let pauses = KnownPause.all(state, checkpoints)
        let overdue = pauses.compactMap { $0.complaint(now: now) }
        if let worst = overdue.max(by: { $0.health < $1.health }) { return worst }
        // What is paused, or gone, is not read, and so no trouble and not behind.
        let read = current.filter { state.pause == nil && state.removed == nil && $0.pause == nil }

        let stuck = read.filter { $0.endsWithFault && !$0.status.letsChildrenStart }
        if let worst = stuck.min(by: { $0.updated < $1.updated }), let fault = worst.lastFault {
            let others = stuck.count > 1 ? " (and \(Spoken.count(UInt64(stuck.count - 1), "other shard")))" : ""
            return Complaint(.degraded, fault.spoken(of: worst.shard.shard) + others)
        }

        if let lag = lag(read, signs, now: now), lag > dangerousLag {
            return Complaint(.degraded, "\(Spoken.duration(lag)) behind: the stream keeps its records for 24 h")
        }
        if let loss = losses.first { return Complaint(.degraded, "\(loss.words); \(loss.advice(place))") }
        let letters = deadLetters(state, checkpoints)
        guard letters > 0 else { return nil }
        return Complaint(.degraded, Spoken.waiting(letters))
    }

    /// Whether a running daemon works on the table, or knows that there is nothing to work on any more, or has yet to learn which
    /// tables there are.
    package static func isFollowed(_ state: TableState, _ signs: VitalSigns) -> Bool {
        signs[state.table] != nil || state.removed != nil || isAwaited(state, signs)
    }

    /// Whether nobody knows yet if the daemon works on the table: it has just begun, and the account's tables are not listed.
    package static func isAwaited(_ state: TableState, _ signs: VitalSigns) -> Bool {
        guard signs[state.table] == nil, state.removed == nil else { return false }
        // One of an earlier version says no more than that it follows none.
        return signs.unlisted != nil || signs.isUp == false && signs.tables.isEmpty
    }

    /// Whether nothing has happened to the table since: whatever happened to it or to one of its shards says that it is worked on
    /// again.
    package static func stands(_ fault: Checkpoint.Fault, _ state: TableState, _ current: [Checkpoint]) -> Bool {
        fault.time >= state.updated && current.allSatisfy { fault.time >= $0.updated }
    }

    /// Those that stop the table, or that nobody has taken note of.
    package static func losses(_ state: TableState, _ checkpoints: [Checkpoint]) -> [KnownLoss] {
        KnownLoss.all(of: state.table, state, checkpoints).filter { $0.isOpen || $0.stops }
    }

    /// Records of the table that wait in dead-letters.jsonl.
    package static func deadLetters(_ state: TableState, _ checkpoints: [Checkpoint]) -> Int {
        state.refusals.count + checkpoints.reduce(0) { $0 + $1.refusals.count }
    }

    /// Without those of a stream that was replaced: they are history.
    package static func current(_ state: TableState, _ checkpoints: [Checkpoint]) -> [Checkpoint] {
        checkpoints.filter { state.stream == nil || $0.shard.stream == state.stream }
    }

    /// The table's: that of its shard that is furthest behind.
    package static func lag(_ current: [Checkpoint], _ signs: VitalSigns?, now: Timestamp) -> Duration? {
        current.compactMap { Lag.of($0, sign: signs?[$0.shard], now: now) }.max()
    }
}

extension Checkpoint.Fault {
    /// With whose it is and when it was; `nil`: the whole table's.
    package func spoken(of shard: ShardID?) -> String {
        "\(code): \(message) (\(shard.map { "shard \($0), " } ?? "")\(time))"
    }
}
