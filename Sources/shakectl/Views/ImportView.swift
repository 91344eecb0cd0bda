internal import Dispatcher
internal import Journal
internal import NimoShake
internal import StreamModel

/// `import nimoshake`: what becomes of each table.
struct ImportView {
    let outcome: Importing.Outcome
    /// What lay among the checkpoints and is none.
    let skipped: [NimoShakeCheckpoints.Skipped]
    let journal: String

    var json: [JSON] {
        outcome.outlooks.map { outlook in
            [
                "table": .string(outlook.table.text),
                "stream": .string(outlook.imported?.stream.text),
                "imported": .bool(outlook.imported != nil && !outcome.isDryRun),
                "can_be_imported": .bool(outlook.imported != nil),
                "dry_run": .bool(outcome.isDryRun),
                "shards": .unsigned(UInt64(outlook.imported?.shards.count ?? 0)),
                "unread": .unsigned(UInt64(outlook.unread)),
                "remarks": .array(
                    outlook.remarks.map { remark in
                        ["shard": .string(remark.shard), "text": .string(remark.text), "stops": .bool(remark.stops)]
                    }),
                "position": outcome.position.map { .unsigned($0.number) } ?? .null,
            ]
        }
    }

    func lines(_ palette: Palette) -> [String] {
        var lines: [String] = []
        for outlook in outcome.outlooks {
            if let imported = outlook.imported {
                let head =
                    outcome.isDryRun
                    ? "\(outlook.table) can be imported" : palette.paint("imported", .green) + " \(outlook.table)"
                lines.append(
                    "\(head): \(Spoken.count(UInt64(imported.shards.count), "shard")), \(outlook.unread) of them to be read on"
                )
            } else {
                lines.append(
                    palette.paint("not imported", .yellow)
                        + " \(outlook.table): it takes a full sync with `shakectl run`")
            }
            for remark in outlook.remarks {
                lines.append("  " + (remark.shard.map { "\($0): " } ?? "") + remark.text)
            }
        }
        for skipped in skipped { lines.append("passed over \(skipped.name): \(skipped.reason)") }
        guard outcome.outlooks.contains(where: { $0.imported != nil }) else { return lines }
        if outcome.isDryRun {
            lines.append("Nothing was changed: this was a dry run.")
        } else {
            lines.append(
                "Run `shakectl plan` with the target that NimoShake has filled, and then `shakectl run`, with --journal \(journal). Start "
                    + "NimoShake no more, or both write to the target.")
        }
        return lines
    }
}
