internal import Journal
internal import StreamModel
internal import Synchronization

/// Collects what each part of the daemon last did.
final class Vitals: Sendable {
    private struct Table {
        var listed: Timestamp?
        var listing: VitalSigns.Trouble?
        var scan: VitalSigns.Trouble?
        var progress: ScanProgress?
        var scanMoved: Timestamp?
        var scanTryFailed: Timestamp?
        var trouble: VitalSigns.Trouble?
        var shards: [ShardID: VitalSigns.Shard] = [:]
        /// Of shards that are not read to their end. What ends a table's work, or sets a shard back, ends no row of replays.
        var replays: [ShardID: Replays] = [:]
    }

    private struct State {
        var tables: [TableName: Table]
        var unlisted: VitalSigns.Unlisted?
        var target = VitalSigns.Target()
        var read: Timestamp?
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Timestamp
    private let uptime: @Sendable () -> Duration

    /// - Parameters:
    ///   - areListed: whether there are others, which are known when the account's tables are listed.
    ///   - now: the machine's clock, which what is told is told by.
    ///   - uptime: what is measured by: it is never set, neither forward nor back.
    init(
        tables: [TableName], areListed: Bool, now: @escaping @Sendable () -> Timestamp,
        uptime: @escaping @Sendable () -> Duration
    ) {
        clock = now
        self.uptime = uptime
        state = Mutex(
            State(
                tables: Dictionary(tables.map { ($0, Table()) }) { first, _ in first },
                unlisted: areListed ? VitalSigns.Unlisted(since: Timestamp(microseconds: 0) + uptime()) : nil))
    }

    /// By uptime, and no time of day: `signs` makes one of it.
    private func now() -> Timestamp { Timestamp(microseconds: 0) + uptime() }

    // MARK: - Tables

    /// It is worked on from now on.
    func begins(_ table: TableName) { state.withLock { $0.tables[table] = $0.tables[table] ?? Table() } }
    func leaves(_ table: TableName) { state.withLock { _ = $0.tables.removeValue(forKey: table) } }

    /// Those of the account that are to be worked on have begun: of any other it is known that it is none of them.
    func tablesListed() { state.withLock { $0.unlisted = nil } }

    /// It is tried again after a while. Without effect where they were listed before: what is followed goes on.
    func tablesNotListed(_ cause: String) {
        let now = now()
        state.withLock { state in
            let earlier = state.unlisted?.trouble
            state.unlisted?.trouble = .again(after: earlier, cause, now)
        }
    }

    /// Those that are worked on, by name.
    var tables: [TableName] { state.withLock { $0.tables.keys.sorted() } }

    func listed(_ table: TableName) {
        let now = now()
        state.withLock { state in
            state.tables[table]?.listed = now
            state.tables[table]?.listing = nil
            state.tables[table]?.trouble = nil
        }
    }

    func listingFailed(_ table: TableName, _ cause: String) { note(cause, as: \.listing, of: table) }

    /// All work on the table has ended, and begins again or waits for an operator.
    func failed(_ table: TableName, _ cause: String, needsOperator: Bool) {
        let now = now()
        state.withLock { state in
            guard let earlier = state.tables[table] else { return }
            state.tables[table]?.shards = [:]
            state.tables[table]?.listing = nil
            state.tables[table]?.scan = nil
            state.tables[table]?.progress = nil
            state.tables[table]?.trouble = .again(after: earlier.trouble, cause, now, needsOperator: needsOperator)
        }
    }

    /// Nothing has failed, and the table can't be worked on yet.
    func waits(_ table: TableName, _ cause: String) { note(cause, as: \.trouble, of: table) }

    /// Pages of the table's scan are due from now on.
    func scanBegins(_ table: TableName) {
        let now = now()
        state.withLock { state in
            state.tables[table]?.scanMoved = now
            state.tables[table]?.scanTryFailed = nil
        }
    }

    /// The next page is not asked for before that: the capacity that the scan may take is spent.
    func scanWaits(_ table: TableName, _ wait: Duration) {
        // Not by a century: the option may be any number.
        let due = now() + min(wait, Self.longestWait)
        state.withLock { state in
            guard let moved = state.tables[table]?.scanMoved, moved < due else { return }
            state.tables[table]?.scanMoved = due
        }
    }

    private static let longestWait: Duration = .seconds(365 * 86_400)

    /// No page is due any more: the scan is at its end, paused or failed.
    func scanHalts(_ table: TableName) {
        state.withLock { state in
            state.tables[table]?.scanMoved = nil
            state.tables[table]?.scanTryFailed = nil
            state.tables[table]?.progress?.rates = ScanProgress.Rates()
        }
    }

    /// A page of the table's scan is in the target.
    ///
    /// - Parameter progress: `nil`: as it was.
    func scanned(_ table: TableName, _ progress: ScanProgress? = nil) {
        let now = now()
        state.withLock { state in
            state.tables[table]?.trouble = nil
            state.tables[table]?.scan = nil
            state.read = now
            state.tables[table]?.scanMoved = now
            state.tables[table]?.scanTryFailed = nil
            if let progress { state.tables[table]?.progress = progress }
        }
    }

    /// A try to get a page of the table's scan failed; others may follow.
    func scanTryFailed(_ table: TableName) {
        let now = now()
        state.withLock { $0.tables[table]?.scanTryFailed = now }
    }

    /// All of it is in the target.
    func scanEnded(_ table: TableName) { state.withLock { $0.tables[table]?.progress = nil } }

    /// It is tried again after a while; the shards are followed meanwhile.
    func scanFailed(_ table: TableName, _ cause: String) { note(cause, as: \.scan, of: table) }

    private func note(_ cause: String, as trouble: WritableKeyPath<Table, VitalSigns.Trouble?>, of table: TableName) {
        let now = now()
        state.withLock { state in
            let earlier = state.tables[table]?[keyPath: trouble]
            state.tables[table]?[keyPath: trouble] = .again(after: earlier, cause, now)
        }
    }

    /// Whether the table's scan has failed since a page of it last came.
    func isScanInTrouble(_ table: TableName) -> Bool { state.withLock { $0.tables[table]?.scan != nil } }

    // MARK: - Shards

    func took(_ shard: ShardKey) {
        let now = now()
        state.withLock { state in
            // What failed is still in trouble until a page comes.
            let trouble = state.tables[shard.table]?.shards[shard.shard]?.trouble
            state.tables[shard.table]?.shards[shard.shard] = VitalSigns.Shard(
                id: shard.shard.text, taken: now, trouble: trouble)
        }
    }

    /// - Returns: what is to be said once, where it is the first that is one too many from the same place.
    func paged(_ shard: ShardKey, records: Int, isInStep: Bool) -> VitalSigns.Replay? {
        let now = now()
        return state.withLock { state in
            state.read = now
            state.tables[shard.table]?.shards[shard.shard]?.page = now
            state.tables[shard.table]?.shards[shard.shard]?.tryFailed = nil
            state.tables[shard.table]?.shards[shard.shard]?.isInStep = isInStep
            state.tables[shard.table]?.shards[shard.shard]?.trouble = nil
            if isInStep { state.tables[shard.table]?.replays[shard.shard]?.passed() }
            guard records > 0, state.tables[shard.table]?.replays[shard.shard]?.brought() == true else { return nil }
            return state.tables[shard.table]?.replays[shard.shard]?.sign
        }
    }

    /// A try to get its next page, or the way to it, failed; others may follow.
    func tryFailed(_ shard: ShardKey) {
        let now = now()
        state.withLock { $0.tables[shard.table]?.shards[shard.shard]?.tryFailed = now }
    }

    /// The epoch in which the shard was last read.
    func epoch(of shard: ShardKey) -> Epoch? {
        state.withLock { $0.tables[shard.table]?.replays[shard.shard]?.epoch }
    }

    /// Reading begins at the checkpoint.
    func begins(_ checkpoint: Checkpoint, isSetBack: Bool) {
        let (now, shard) = (now(), checkpoint.shard)
        state.withLock { state in
            state.tables[shard.table]?.replays[shard.shard, default: Replays()].begins(
                at: Replays.Place(checkpoint), checkpoint.epoch, isSetBack: isSetBack, now: now)
        }
    }

    /// The checkpoint has moved on.
    func advanced(_ shard: ShardKey) {
        state.withLock { $0.tables[shard.table]?.replays[shard.shard]?.passed() }
    }

    /// Nothing more of it will be read, unless it is set back.
    func finished(_ shard: ShardKey) {
        state.withLock { _ = $0.tables[shard.table]?.replays.removeValue(forKey: shard.shard) }
    }

    /// Reading failed, and is tried again after a while.
    func rests(_ shard: ShardKey, _ cause: String) {
        let now = now()
        state.withLock { state in
            let trouble = state.tables[shard.table]?.shards[shard.shard]?.trouble
            state.tables[shard.table]?.shards[shard.shard]?.isInStep = false
            state.tables[shard.table]?.shards[shard.shard]?.trouble = .again(after: trouble, cause, now)
        }
    }

    /// It is not read any more: it has ended, or was set back.
    func released(_ shard: ShardKey) {
        state.withLock { _ = $0.tables[shard.table]?.shards.removeValue(forKey: shard.shard) }
    }

    // MARK: - The target

    func writes() {
        let now = now()
        state.withLock { state in
            if state.target.busySince == nil { state.target.busySince = now }
        }
    }

    func refused(_ cause: String) {
        let now = now()
        state.withLock { state in
            state.target.trouble = cause
            state.target.refused = now
        }
    }

    func acknowledged() {
        let now = now()
        state.withLock { state in
            let took = state.target.busySince.map { now - $0 }
            state.target = VitalSigns.Target(acknowledged: now, lastWriteSeconds: took?.components.seconds)
        }
    }

    /// Nothing is asked of it any more: what it was given failed for good.
    func gaveUp() {
        state.withLock { state in
            state.target.busySince = nil
            state.target.trouble = nil
            state.target.refused = nil
        }
    }

    // MARK: -

    /// All of it, in times of the machine's clock as that is now: how long ago something was is right, whatever the clock showed
    /// then.
    func signs(of worker: String, _ limits: Health.Limits) -> VitalSigns {
        let now = now()
        let signs = state.withLock { state in
            VitalSigns(
                written: now, worker: worker, limits: limits, target: state.target,
                read: state.read, unlisted: state.unlisted,
                tables: state.tables.sorted { $0.key < $1.key }.map { name, table in
                    VitalSigns.Table(
                        name: name.text, listed: table.listed, listing: table.listing, scan: table.scan,
                        progress: table.progress, scanMoved: table.scanMoved,
                        scanTryFailed: table.scanTryFailed, trouble: table.trouble,
                        shards: table.shards.sorted { $0.key < $1.key }.map { id, shard in
                            var shard = shard
                            shard.replay = table.replays[id]?.sign
                            return shard
                        })
                })
        }
        return signs.moved(by: clock() - now)
    }
}

extension VitalSigns.Trouble {
    /// One try more of the same row.
    fileprivate static func again(
        after earlier: Self?, _ cause: String, _ now: Timestamp, needsOperator: Bool = false
    ) -> Self {
        Self(
            since: earlier?.since ?? now, last: now, tries: (earlier?.tries ?? 0) + 1, cause: cause,
            needsOperator: needsOperator)
    }
}
