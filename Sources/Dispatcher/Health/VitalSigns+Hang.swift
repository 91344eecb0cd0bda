internal import StreamModel

extension VitalSigns {
    /// What a daemon waits for that will not come, and that another start may mend; `nil` where it gets on, or says why not.
    ///
    /// It is no verdict about a table's health: who is refused or throttled and tries again is at work, and a table that waits for
    /// an operator would wait after another start as well. Nor is a source that accepts calls and never answers a hang of this
    /// process: of more shards than calls may be under way only some fail at a time, and the others wait for their turn without
    /// any trouble of their own. A daemon that hangs altogether says nothing at all any more.
    package var hang: String? {
        if let since = journalBusySince, written - since > limits.write {
            return "the journal has taken nothing for \((written - since).spoken)"
        }
        if let since = target.silentSince, written - since > limits.brokenWrite {
            return "the target has not answered for \((written - since).spoken)"
        }
        // What waits for the target can't read on.
        guard target.busySince.map({ written - $0 <= limits.page }) ?? true else { return nil }
        let reading = tables.flatMap(\.reading)
        let patience = limits.page * 5
        if let failed = readFailed, written - failed <= patience { return nil }
        if let last = reading.max(), written - last > patience {
            return "nothing was read for \((written - last).spoken)"
        }
        return nil
    }
}

extension VitalSigns.Target {
    /// Since when it has neither acknowledged nor refused the write that it was given.
    fileprivate var silentSince: Timestamp? { busySince.map { max($0, refused ?? $0) } }
}

extension VitalSigns.Table {
    /// When each of those last got something who read, and have no trouble that they would be telling of.
    fileprivate var reading: [Timestamp] {
        shards.filter { $0.trouble == nil }.map { $0.page ?? $0.taken }
            + (scan == nil ? [scanMoved].compactMap(\.self) : [])
    }
}
