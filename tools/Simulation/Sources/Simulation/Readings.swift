package import StreamModel

/// Who has read which shard when: what a loss that is declared is held against.
package struct Readings: Sendable {
    /// Pages that came one after the other to one reader.
    private struct Stretch {
        var began: Timestamp
        var last: Timestamp
    }

    /// For how long a shard has to be read, that what it says for itself is on record: the six hours between two signs of
    /// life, and the slowest of polls.
    private static let enough: Duration = .seconds(7 * 3600)
    /// The longest wait between two pages of one reader.
    private static let gap: Duration = .seconds(1800)

    private var stretches: [ShardKey: [Stretch]] = [:]

    package init() {}

    /// A reader asked where to begin: what came before it is another one's.
    package mutating func began(_ shard: ShardKey, at now: Timestamp) {
        var own = stretches[shard] ?? []
        own.removeAll { $0.last - $0.began < Self.enough }
        own.append(Stretch(began: now, last: now))
        stretches[shard] = own
    }

    package mutating func paged(_ shard: ShardKey, at now: Timestamp) {
        guard let own = stretches[shard], let newest = own.last, now - newest.last <= Self.gap else {
            return began(shard, at: now)
        }
        stretches[shard]?[own.count - 1].last = now
    }

    /// Whether the shard was read for so long, since it was set back and until so short a time ago, that no loss of it can be
    /// declared for a standstill.
    ///
    /// - Parameter now: when it is declared; what was read later says nothing of it.
    package func knows(_ shard: ShardKey, since rewound: Timestamp?, at now: Timestamp) -> Bool {
        (stretches[shard] ?? []).contains { stretch in
            let (began, last) = (max(stretch.began, rewound ?? stretch.began), min(stretch.last, now))
            return last - began >= Self.enough && now - last < .seconds(15 * 3600)
        }
    }
}
