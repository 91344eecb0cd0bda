package import Journal
package import StreamModel

/// Up to when all that was made of a shard has been delivered at least once, or was never ours to bring: what an operator sets back
/// was delivered all the same, and what leaves the stream before a replay comes to it is not lost.
///
/// A fold over the shard's history, since its checkpoint tells only of the time after the last rewind.
package struct DeliveredUntil: Hashable, Sendable {
    package private(set) var time: Timestamp?

    /// What of the history speaks of it.
    package static let kinds: Set<String> = [
        "iterator_resolved", "sequence_advanced", "in_step", "rewound", "history_folded", "imported",
    ]

    /// - Parameter history: of one shard, oldest first.
    package init(_ history: some Sequence<Event>) {
        for event in history { take(event) }
    }

    private mutating func take(_ event: Event) {
        switch event.payload {
        // Older than its anchor is no matter of ours.
        case .iteratorResolved(let resolved): reach(resolved.issued)
        case .inStep(let sign): reach(sign.until)
        case .imported(let imported): reach(imported.approximateTime)
        case .historyFolded(let folded): reach(folded.checkpoint.accounted)
        // It sets back what the target lacks.
        case .rewound(let rewound) where rewound.author == ShardDesk.author: time = nil
        default: reach(event.payload.advance?.approximateTime)
        }
    }

    private mutating func reach(_ moment: Timestamp?) {
        time = [time, moment].compactMap(\.self).max()
    }
}
