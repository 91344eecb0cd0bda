internal import Dispatcher
internal import Journal
internal import StreamModel

/// `state`: one checkpoint.
struct StateView: Sendable {
    let checkpoint: Checkpoint
    /// Events among which the moment lies that was asked for, where they are folded together.
    var folded: Event?

    var json: JSON {
        [
            "table": .string(checkpoint.shard.table.text),
            "stream": .string(checkpoint.shard.stream.text),
            "shard": .string(checkpoint.shard.shard.text),
            "parent": .string(checkpoint.parent?.text),
            "status": .string(checkpoint.status.rawValue),
            "iterator_type": .string(checkpoint.iteratorType.rawValue),
            "sequence_number": .string(checkpoint.sequenceNumber?.text),
            "epoch": .unsigned(checkpoint.epoch.number),
            "revision": .unsigned(checkpoint.revision.number),
            "position": .unsigned(checkpoint.position.number),
            "worker": .string(checkpoint.worker),
            "approximate_time": .string(checkpoint.approximateTime?.description),
            "updated": .string(checkpoint.updated.description),
            "accounted_until": .string(checkpoint.accountedUntil?.description),
            "loss": checkpoint.loss.map { KnownLoss(shard: checkpoint.shard, $0).json } ?? .null,
            "dead_letters": .array(checkpoint.refusals.map { .unsigned($0.position.number) }),
            "imported": .bool(checkpoint.importedSince != nil),
            "folded": folded.map { EventView($0).json } ?? .null,
        ]
    }

    func lines(_ palette: Palette) -> [String] {
        let range = "\(checkpoint.range.starting?.text ?? "?") … \(checkpoint.range.ending?.text ?? "open")"
        let epoch = checkpoint.epoch == .first ? "0 (never rewound)" : "\(checkpoint.epoch) (how often it was rewound)"
        var fields: [(String, String)] = [
            ("shard", checkpoint.shard.shard.text),
            ("table", checkpoint.shard.table.text),
            ("stream", checkpoint.shard.stream.text),
            ("parent", checkpoint.parent?.text ?? "none"),
            ("range", range),
            ("status", palette.paint(checkpoint.status.rawValue, checkpoint.status.colour)),
            ("place", checkpoint.spokenPlace),
            ("stored iterator", checkpoint.spokenIterator),
            ("epoch", epoch),
            ("revision", checkpoint.revision.description),
            ("position", checkpoint.position.description),
            ("worker", checkpoint.worker ?? "none"),
            ("last record made", checkpoint.approximateTime.map { "\(Spoken.time($0)) UTC" } ?? "none read"),
            ("records", "\(Spoken.count(checkpoint.records)), \(Spoken.size(checkpoint.bytes))"),
            ("last error", checkpoint.lastFault.map { "\($0.code): \($0.message) (\($0.time))" } ?? "none"),
            ("lost", checkpoint.loss.map { KnownLoss(shard: checkpoint.shard, $0).words } ?? "nothing"),
            ("dead letters", checkpoint.refusals.isEmpty ? "none" : Spoken.count(UInt64(checkpoint.refusals.count))),
            ("updated", "\(Spoken.time(checkpoint.updated)) UTC"),
        ]
        if checkpoint.importedSince != nil {
            fields.append(("imported", "it stands where the import has put it; nothing was brought since"))
        }
        if let folded { fields.append(("then", "\(folded.spokenFold); this is the checkpoint before them")) }
        let width = fields.map(\.0.count).max() ?? 0
        return fields.map { name, value in
            palette.paint(name, .dim) + String(repeating: " ", count: width - name.count + 2) + value
        }
    }
}

extension Event {
    /// Where more was known once.
    var spokenFold: String {
        let (count, first): (String, Position)
        switch payload {
        case .advancesFolded(let folded): (count, first) = (Spoken.count(folded.count, "advance"), folded.first)
        case .historyFolded(let folded): (count, first) = (Spoken.count(folded.count, "event"), folded.first)
        default: return ""  // no other stands for many
        }
        return "\(count) at positions \(first) to \(position), until \(Spoken.time(time)) UTC, are folded together"
    }
}

extension Checkpoint {
    fileprivate var spokenIterator: String {
        switch storedIterator {
        case nil: "none"
        case .seeSequenceNumber: "see the sequence number"
        case .iterator(let iterator, let obtained): "\(iterator), obtained \(Spoken.time(obtained)) UTC"
        }
    }
}
