internal import Journal

/// What a soak has added to the journal, for each shard that ended in it.
///
/// What the journal holds and the room that is free in its file are bounded each by itself: the first may grow by what stays of the
/// shards that ended, the second by nothing but the unevenness of what comes and goes, so it is a share of the file.
package struct Growth: Hashable, Sendable {
    /// Between two days.
    package struct Added: Hashable, Sendable {
        package let days: Int
        package let finished: Int
        package let entries: Int
        package let bytes: Int

        fileprivate init(from first: Soak.Day, to last: Soak.Day) {
            days = last.day - first.day
            finished = last.finished - first.finished
            entries = last.facts.entries - first.facts.entries
            bytes = last.facts.contentBytes - first.facts.contentBytes
        }
    }

    /// From then on every day is like the one before it: advances were folded, and so was the history of shards.
    package let settled: Int
    /// From that day on, or over the second half of the days where that is later: the numbers in an event get longer, which makes each
    /// entry a byte or two longer by and by (a position at 268 million events; the next time at 34,000 million).
    /// `nil` where the run was too short.
    package let added: Added?
    /// Of the last day.
    package let freeBytes: Int
    package let usedBytes: Int

    /// `tools/simulate --generations` finds 790 bytes of the file for each; entries are shared by many shards side by side.
    package static let mostBytes = 1200
    package static let mostEntries = 3
    /// Pages that are free, or half full: the same for any number of shards.
    package static let slack = 256 << 10
    /// Of the file, that may be free: one part in so many.
    package static let freeShare = 8

    package init(_ all: [Soak.Day], _ load: Soak.Load) {
        // The last of what is younger than that was written two days before.
        let (seconds, _) = load.policy.historyAge.components
        let settled = Int(seconds / 86_400) + 2
        self.settled = settled
        let last = all.last
        (freeBytes, usedBytes) = (last?.facts.freeBytes ?? 0, last?.facts.usedBytes ?? 0)
        let from = max(settled, (last?.day ?? 0) / 2)
        guard let last, let first = all.first(where: { $0.day >= from }), last.day > first.day else {
            added = nil
            return
        }
        added = Added(from: first, to: last)
    }

    /// Nothing is said of a run that was too short.
    package var isBounded: Bool {
        guard let added else { return true }
        return added.bytes <= added.finished * Self.mostBytes + Self.slack
            && added.entries <= added.finished * Self.mostEntries
            && freeBytes <= usedBytes / Self.freeShare + Self.slack
    }

    package var text: String {
        guard let added else {
            return "too short to say whether it stops growing: take more than \(settled) days"
        }
        return
            "the last \(added.days) days: \(added.entries) entries and \(added.bytes) bytes more, for \(added.finished) "
            + "shards that ended: \(added.bytes / max(1, added.finished)) bytes each; of \(usedBytes) bytes of the file "
            + "\(freeBytes) are free; \(isBounded ? "bounded" : "NOT BOUNDED")"
    }
}
