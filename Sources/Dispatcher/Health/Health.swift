package import StreamModel

/// How a table fares.
package enum Health: String, CaseIterable, Comparable, Sendable {
    case ok
    /// Something is being tried again, or does not move; or an operator is to take note of something.
    case degraded
    /// An operator must act.
    case failed
    /// Nobody follows the table.
    case stopped

    package static func < (a: Health, b: Health) -> Bool { a.badness < b.badness }

    private var badness: Int {
        switch self {
        case .ok: 0
        case .degraded: 1
        case .failed: 2
        case .stopped: 3
        }
    }

    /// What is wrong, and how badly.
    package struct Complaint: Hashable, Sendable {
        package let health: Health
        package let reason: String

        package init(_ health: Health, _ reason: String) {
            self.health = health
            self.reason = reason
        }
    }

    /// How long something may take before it is a complaint. Each bound is some times what it takes where all is well.
    package struct Limits: Codable, Hashable, Sendable {
        /// The daemon says how it fares every other second.
        package var silence: Duration = .seconds(20)
        /// An idle shard is asked at least once in `--poll-maximum`, which is a second.
        package var page: Duration = .seconds(60)
        /// The shards are listed twice a minute.
        package var listing: Duration = .seconds(180)
        /// A write takes milliseconds. A target that needs a minute is in trouble, one that needs ten is not there.
        package var write: Duration = .seconds(60)
        package var brokenWrite: Duration = .seconds(600)
        /// Calls for pages that are under way at one time at most; `nil`: of an earlier version.
        package var callsAtOnce: Int?

        /// From here on a target that acknowledges all it is given holds the reading back. A group of batches is some 8 MiB.
        static let slowWrite: Duration = .seconds(10)

        package init() {}

        /// For a daemon that was told to be slower than that.
        package init(maximumPoll: Duration, discoveryInterval: Duration) {
            page = max(page, maximumPoll * 5)
            listing = max(listing, discoveryInterval * 5)
        }
    }

    /// What a table's signs complain about, the worst first. A daemon that lives and does nothing has signs that get old.
    package static func complaints(
        of table: TableName, _ signs: VitalSigns, now: Timestamp
    ) -> [Complaint] {
        let limits = signs.limits
        let silence = now - signs.written
        guard silence <= limits.silence else {
            return [
                Complaint(
                    .failed,
                    "the daemon (\(signs.worker)) has given no sign for \(silence.spoken): it is suspended, or it hangs; look at "
                        + "its log and its disk")
            ]
        }
        guard let own = signs[table] else { return [] }
        var complaints: [Complaint] = []
        if let trouble = own.trouble {
            complaints.append(
                trouble.needsOperator
                    ? Complaint(.failed, trouble.cause) : Complaint(.degraded, "the table is \(trouble.spoken(now))"))
        }
        if let complaint = complaint(of: signs.target, limits, now) { complaints.append(complaint) }
        if let since = signs.journalBusySince, now - since > limits.write {
            complaints.append(
                Complaint(.failed, "the journal has taken nothing for \((now - since).spoken): look at its disk"))
        }
        if let scan = own.scan {
            complaints.append(Complaint(.degraded, "the scan is \(scan.spoken(now))"))
        } else if let moved = own.scanMoved, now - moved > limits.page, !signs.target.isSlow(limits, now) {
            complaints.append(Complaint(.degraded, "the scan: no page has come for \((now - moved).spoken)"))
        }
        if let listing = own.listing {
            complaints.append(Complaint(.degraded, "the list of shards is \(listing.spoken(now))"))
        } else if own.trouble == nil, let listed = own.listed, now - listed > limits.listing {
            complaints.append(
                Complaint(
                    .degraded, "the shards were last listed \((now - listed).spoken) ago, so new ones are not seen"))
        }
        complaints += Self.complaints(of: own.shards, isBlocked: signs.target.isSlow(limits, now), limits, now)
        if let reader = signs.slowReader { complaints.append(Complaint(.degraded, reader.spoken(now))) }
        return complaints.enumerated().sorted { a, b in
            a.element.health == b.element.health ? a.offset < b.offset : a.element.health > b.element.health
        }.map(\.element)
    }

    private static func complaint(of target: VitalSigns.Target, _ limits: Limits, _ now: Timestamp) -> Complaint? {
        guard let since = target.busySince, now - since > limits.write else {
            return target.slowWrite(limits, now).map {
                Complaint(.degraded, "the target holds the reading back: its last write took \($0.spoken)")
            }
        }
        let cause = target.trouble.map { " (\($0))" } ?? ""
        return Complaint(
            now - since > limits.brokenWrite ? .failed : .degraded,
            "the target has acknowledged nothing for \((now - since).spoken)\(cause)")
    }

    private static func complaints(
        of shards: [VitalSigns.Shard], isBlocked: Bool, _ limits: Limits, _ now: Timestamp
    ) -> [Complaint] {
        var complaints: [Complaint] = []
        let replayed = shards.compactMap { shard in shard.replay.map { (shard: shard, replay: $0) } }
        if let first = replayed.min(by: { $0.replay.since < $1.replay.since }) {
            let cause = first.shard.trouble.map { " (\($0.cause))" } ?? ""
            complaints.append(
                Complaint(
                    .degraded,
                    "shard \(first.shard.id) was \(first.replay.spoken(now)), and does not get on\(cause): the log says "
                        + "what ended each reading\(more(than: replayed.count))"))
        }
        let resting = shards.compactMap { shard in shard.trouble.map { (id: shard.id, trouble: $0) } }
        if let first = resting.min(by: { $0.trouble.since < $1.trouble.since }) {
            let others = more(than: resting.count)
            complaints.append(Complaint(.degraded, "shard \(first.id) is \(first.trouble.spoken(now))\(others)"))
        }
        // What waits for the target is not read on, and that is said of the target.
        guard !isBlocked else { return complaints }
        let still = shards.filter { $0.trouble == nil && now - ($0.page ?? $0.taken) > limits.page }
        if let first = still.min(by: { $0.page ?? $0.taken < $1.page ?? $1.taken }) {
            let others = more(than: still.count)
            let age = now - (first.page ?? first.taken)
            complaints.append(
                Complaint(.degraded, "shard \(first.id): no page has come for \(age.spoken)\(others)"))
        }
        return complaints
    }
}

/// Those besides the one that is named.
private func more(than count: Int) -> String {
    switch count {
    case ...1: ""
    case 2: ", and 1 more shard"
    default: ", and \(count - 1) more shards"
    }
}

extension VitalSigns.Target {
    fileprivate func isSlow(_ limits: Health.Limits, _ now: Timestamp) -> Bool {
        busySince.map { now - $0 > limits.page } ?? false || slowWrite(limits, now) != nil
    }

    /// How long its last write took, where that is too long, and it has another one or has only just done with it.
    fileprivate func slowWrite(_ limits: Health.Limits, _ now: Timestamp) -> Duration? {
        guard let took = lastWriteSeconds.map({ Duration.seconds($0) }), took >= Health.Limits.slowWrite else {
            return nil
        }
        let isRecent = acknowledged.map { now - $0 <= limits.write } ?? false
        return busySince != nil || isRecent ? took : nil
    }
}

extension VitalSigns.SlowReader {
    func spoken(_ now: Timestamp) -> String {
        "process \(pid) (\(name)) has been reading one state of the journal for \((now - since).spoken): \(transactions) transactions "
            + "were written since, and none of the room that they gave up is used again (\(Spoken.size(grown)) more of file so far) until "
            + advice
    }

    private var advice: String {
        switch activity {
        case .stopped, nil: "that process goes on or ends: kill -CONT \(pid), or kill \(pid)"
        case .still: "that process goes on or ends; it does next to nothing: kill \(pid) ends it"
        case .works: "that process ends; it is at work, so wait for it, or end it where the disk gets full: kill \(pid)"
        case .unseen:
            "that process goes on or ends; whether it works can't be seen from here (it is in another container, or another user's): "
                + "look for it where it runs, and end it there where it stands still or the disk gets full"
        }
    }
}

extension VitalSigns.Unlisted {
    func complaint(_ limits: Health.Limits, _ now: Timestamp) -> Health.Complaint? {
        if let trouble {
            return Health.Complaint(.degraded, "the list of the account's tables is \(trouble.spoken(now))")
        }
        guard now - since > limits.listing else { return nil }
        return Health.Complaint(.degraded, "the account's tables have not been listed for \((now - since).spoken)")
    }
}

extension VitalSigns.Replay {
    fileprivate func spoken(_ now: Timestamp) -> String {
        "read \(times) times from \(from) on since \(since.description.prefix(19))Z (\((now - since).spoken))"
    }
}

extension VitalSigns.Trouble {
    fileprivate func spoken(_ now: Timestamp) -> String {
        "tried again since \(since.description.prefix(19))Z (\((now - since).spoken), \(tries) \(tries == 1 ? "time" : "times")): "
            + cause
    }
}

extension Duration {
    /// `45 s`, `12 min`, `3 h`, `2 d`: the largest unit, rounded down.
    var spoken: String {
        let seconds = max(0, components.seconds)
        for (length, name) in [(86_400, "d"), (3600, "h"), (60, "min")] as [(Int64, String)] where seconds >= 2 * length
        {
            return "\(seconds / length) \(name)"
        }
        return "\(seconds) s"
    }
}
