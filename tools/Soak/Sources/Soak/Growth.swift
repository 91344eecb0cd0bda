internal import Journal

/// What the last days of a soak have added to the journal, for each shard that ended in them.
package struct Growth: Hashable, Sendable {
    /// From then on every day is like the one before it: advances were folded, and so was the history of shards.
    package let settled: Int
    package let days: Int
    package let finished: Int
    package let entries: Int
    package let bytes: Int

    /// `tools/simulate --generations` finds 790 bytes of the file for each; entries are shared by many shards side by side.
    package static let mostBytes = 1200
    package static let mostEntries = 3
    /// Pages that are free, or half full: the same for any number of shards.
    package static let slack = 256 << 10

    package init(_ all: [Soak.Day], _ load: Soak.Load) {
        // The last of what is younger than that was written two days before.
        let (seconds, _) = load.policy.historyAge.components
        let settled = Int(seconds / 86_400) + 2
        self.settled = settled
        guard let first = all.first(where: { $0.day >= settled }), let last = all.last, last.day > first.day else {
            (days, finished, entries, bytes) = (0, 0, 0, 0)
            return
        }
        days = last.day - first.day
        finished = last.finished - first.finished
        entries = last.facts.entries - first.facts.entries
        bytes = last.facts.usedBytes - first.facts.usedBytes
    }

    /// Nothing is said of a run that was too short.
    package var isBounded: Bool {
        days == 0 || (bytes <= finished * Self.mostBytes + Self.slack && entries <= finished * Self.mostEntries)
    }

    package var text: String {
        guard days > 0 else { return "too short to say whether it stops growing: take more than \(settled) days" }
        return
            "from day \(settled) on, \(days) days: \(entries) entries and \(bytes) bytes more, for \(finished) shards that "
            + "ended: \(bytes / max(1, finished)) bytes each; \(isBounded ? "bounded" : "NOT BOUNDED")"
    }
}
