internal import DynamoDB
internal import StreamModel

extension VitalSigns {
    /// What a daemon waits for that will not come, and that another start may mend; `nil` where it gets on, or says why not.
    ///
    /// It is no verdict about a table's health: who is refused or throttled and tries again is at work, and a table that waits for
    /// an operator would wait after another start as well. Nor is a source that accepts calls and never answers a hang of this
    /// process. But what fails excuses only whom it belongs to, and those who wait behind it: one table that is refused for ever must
    /// not hide that all others stand still. A daemon that hangs altogether says nothing at all any more.
    package var hang: String? {
        if let since = journalBusySince, written - since > limits.write {
            return "the journal has taken nothing for \((written - since).spoken)"
        }
        if let since = target.silentSince, written - since > limits.brokenWrite {
            return "the target has not answered for \((written - since).spoken)"
        }
        // What waits for the target can't read on.
        guard target.busySince.map({ written - $0 <= limits.page }) ?? true else { return nil }
        let readers = tables.flatMap(\.readers)
        let patience = limits.page * 5
        // Who waits in line has nothing to tell of itself. Fewer failing calls than may be under way keep nobody waiting; more of
        // them do for as long as they take, and of the turns that come then one in so many is an idle shard's. What failed before that
        // is over.
        let atOnce = max(1, limits.callsAtOnce ?? CallLimits.atOnce)
        func isSince(_ time: Timestamp?, _ bound: Duration) -> Bool { time.map { written - $0 <= bound } ?? false }
        func rounds(_ readers: [Reader]) -> Int {
            readers.reduce(0) { $0 + ($1.calls ?? atOnce) } / atOnce * TurnQueue.round
        }
        // Who tells of trouble tries again, in its turn among all that fail: where none comes for longer than that, it hangs too.
        let turn = patience + CallLimits.longest * max(1, rounds(readers.filter(\.fails)))
        let failing = readers.filter {
            isSince($0.trouble, turn) || isSince($0.tryFailed, patience + CallLimits.longest)
        }
        let longest = patience + CallLimits.longest * rounds(failing)
        let still = readers.filter {
            !isSince($0.trouble, turn) && !isSince($0.tryFailed, patience) && written - $0.moved > longest
        }
        // What begins again and again, and is refused each time, is no sign that anything is read.
        guard let last = still.map(\.moved).max(), read.map({ written - $0 > longest }) ?? true else { return nil }
        return "nothing was read for \((written - max(last, read ?? last)).spoken)"
    }

    /// Whatever reads a shard, or scans a table.
    fileprivate struct Reader {
        /// When it last got something, or was begun.
        let moved: Timestamp
        /// When a try of its failed since.
        let tryFailed: Timestamp?
        /// When it last told of trouble that it is still in.
        let trouble: Timestamp?

        var fails: Bool { tryFailed != nil || trouble != nil }
        /// How many it may have under way; `nil`: all that there may be.
        let calls: Int?
    }
}

extension VitalSigns.Target {
    /// Since when it has neither acknowledged nor refused the write that it was given.
    fileprivate var silentSince: Timestamp? { busySince.map { max($0, refused ?? $0) } }
}

extension VitalSigns.Table {
    fileprivate var readers: [VitalSigns.Reader] {
        shards.map { shard in
            VitalSigns.Reader(
                moved: shard.page ?? shard.taken, tryFailed: shard.tryFailed, trouble: shard.trouble?.lastTry, calls: 1)
        }
            + (scanMoved.map {
                [VitalSigns.Reader(moved: $0, tryFailed: scanTryFailed, trouble: scan?.lastTry, calls: nil)]
            } ?? [])
    }
}
