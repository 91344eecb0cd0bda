internal import Journal
internal import StreamModel

/// `rewind`: what was changed, or would be.
struct RewindView: Sendable {
    let plan: RewindPlan
    /// What is appended for each shard, the rewound one first.
    let changes: [(shard: ShardID, change: Rewound)]
    /// Of the rewound shard's own event; `nil` in a dry run.
    let position: Position?
    /// The command that undoes it; `nil` in a dry run, and where none is offered.
    let undo: String?

    init(plan: RewindPlan, position: Position?, undo: String?) {
        self.plan = plan
        self.position = position
        self.undo = undo
        changes = plan.drafts.flatMap { draft in
            draft.payloads.compactMap { payload in
                guard case .shard(let key) = draft.subject, case .rewound(let change) = payload else { return nil }
                return (shard: key.shard, change: change)
            }
        }
    }

    private var isDryRun: Bool { position == nil }

    var json: JSON {
        [
            "shard": .string(plan.shard.shard.text),
            "from_sequence_number": .string(plan.from?.text),
            "to_sequence_number": .string(plan.to?.text),
            "inclusive": .bool(plan.inclusive),
            "dry_run": .bool(isDryRun),
            "cascaded": .array(plan.cascaded.map { .string($0.shard.text) }),
            "position": position.map { .unsigned($0.number) } ?? .null,
            "undo": .string(undo),
        ]
    }

    func lines(_ palette: Palette) -> [String] {
        var text = TextTable([.init("SHARD"), .init("FROM"), .init("TO"), .init("WHY")])
        for (shard, change) in changes {
            text.rows.append(
                .cells([
                    .init(shard.text), .init(change.from?.text ?? "the start"),
                    .init(change.to.map { $0.text + (change.inclusive ? " inclusive" : "") } ?? "the start", .yellow),
                    .init(change.cascadeRoot == nil ? "asked for" : "descends from it"),
                ]))
        }
        let next =
            switch (plan.to, plan.inclusive) {
            case (nil, _): "the oldest of the shard that the stream still holds"
            case (let number?, true): "\(number) again"
            case (let number?, false): "the first after \(number)"
            }
        let head = isDryRun ? "would rewind" : palette.paint("rewound", .green)
        var lines = ["\(head) \(plan.shard)"] + text.lines(palette)
        lines.append("The next record delivered \(isDryRun ? "would be" : "is") \(next).")
        if isDryRun { lines.append("Nothing was changed: this was a dry run.") }
        if let undo { lines.append("Undo: \(undo)") }
        return lines
    }
}
