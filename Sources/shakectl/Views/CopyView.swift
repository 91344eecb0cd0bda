internal import Dispatcher
internal import Journal

/// A journal that was written and verified: by `backup`, `restore`, `import` and `compact --copy`.
struct CopyView: Sendable {
    /// What was done, such as `backed up`.
    let deed: String
    let path: String
    let report: CopyReport
    /// What to do next, for a person.
    let advice: [String]

    var json: JSON { .object(members) }

    var members: [JSON.Member] {
        [
            .init("path", .string(path)), .init("bytes", .unsigned(report.bytes)),
            .init("events", .unsigned(report.verified.events)), .init("folded", .unsigned(report.verified.folded)),
            .init("shards", .integer(Int64(report.verified.shards))),
            .init("last_position", .unsigned(report.verified.lastPosition.number)),
        ]
    }

    func lines(_ palette: Palette) -> [String] {
        let verified = report.verified
        return [
            "\(palette.paint(deed, .green)) \(path): \(Spoken.count(verified.events, "event"))"
                + (verified.folded == 0 ? "" : " and \(Spoken.count(verified.folded, "folded event"))")
                + " up to position \(verified.lastPosition), \(Spoken.count(UInt64(verified.shards), "shard")), "
                + "\(Spoken.size(report.bytes)); verified"
        ] + advice
    }
}
