internal import Dispatcher
internal import DynamoDB
internal import StreamModel
internal import Targets

/// `plan`: what a daemon would do for each table, and what keeps it from that.
struct PlanView: Sendable {
    let plans: [TablePlan]
    let journal: String
    /// Whether there is no journal yet.
    let isNew: Bool
    let target: String
    let mode: DaemonConfiguration.Mode

    var json: [JSON] { plans.map(\.json) }

    func lines(_ palette: Palette) -> [String] {
        let head = [
            "journal: \(journal)" + (isNew ? " (would be made)" : ""), "target: \(target)", "mode: \(mode.rawValue)",
        ]
        return plans.reduce(into: head) { lines, plan in
            lines += ["", palette.paint(plan.name.text, .bold)] + plan.facts.map { "  \($0)" }
            lines += plan.notes.map { "  " + palette.paint("note: \($0)", .yellow) }
            lines += plan.obstacles.map { "  " + palette.paint("but: \($0)", .red) }
        }
    }
}

extension TablePlan {
    fileprivate var facts: [String] {
        var facts: [String] = []
        if let table {
            let billing = table.provisionedReads.map { "\(Spoken.count(UInt64($0))) read capacity units a second" }
            let size = Spoken.size(UInt64(max(0, table.tableSizeBytes)))
            facts.append(
                "table:  \(table.status), ~\(Spoken.count(UInt64(max(0, table.itemCount)), "item")), ~\(size), "
                    + (billing ?? "billed on demand"))
            facts.append("stream: \(spokenStream(table))")
        }
        facts.append("first:  \(step.words)")
        if let place { facts.append("target: \(place.object), \(place.contents.words)") }
        return facts
    }

    private func spokenStream(_ table: TableDescription) -> String {
        if enablesStream {
            return
                "none; one with NEW_AND_OLD_IMAGES would be enabled, which needs the permission dynamodb:UpdateTable "
                + "(not tried: that would enable it)"
        }
        guard table.streamEnabled else { return "none" }
        let view = table.viewType ?? "view type unknown"
        guard let stream else { return view }
        return "\(view), \(Spoken.count(UInt64(stream.shards), "shard")), \(stream.openShards) of them open"
    }

    fileprivate var json: JSON {
        [
            "table": .string(name.text),
            "status": .string(table?.status),
            "items": table.map { .integer($0.itemCount) } ?? .null,
            "bytes": table.map { .integer($0.tableSizeBytes) } ?? .null,
            "stream": .string(table?.stream?.text),
            "stream_enabled": table.map { .bool($0.streamEnabled) } ?? .null,
            "enables_stream": table.map { _ in .bool(enablesStream) } ?? .null,
            "view_type": .string(table?.viewType),
            "shards": stream.map { .integer(Int64($0.shards)) } ?? .null,
            "open_shards": stream.map { .integer(Int64($0.openShards)) } ?? .null,
            "first": .string(step.name),
            "segments": step.segments.map { .integer(Int64($0)) } ?? .null,
            "target_object": .string(place?.object),
            "target_contents": .string(place?.contents.rawValue),
            "notes": .array(notes.map { .string($0) }),
            "obstacles": .array(obstacles.map { .string($0.description) }),
        ]
    }
}

extension Place.Contents {
    fileprivate var words: String {
        switch self {
        case .missing: "which would be made"
        case .empty: "which is empty"
        case .filled: "which holds something"
        }
    }
}

extension TablePlan.Step {
    fileprivate var name: String {
        switch self {
        case .scan: "scan"
        case .goOnScanning: "go_on_scanning"
        case .follow: "follow"
        case .goOnFollowing: "go_on_following"
        case .nothing: "nothing"
        case .unknown: "unknown"
        }
    }

    fileprivate var segments: Int? {
        switch self {
        case .scan(let segments, _), .goOnScanning(_, let segments, _): segments
        case .follow, .goOnFollowing, .nothing, .unknown: nil
        }
    }

    fileprivate var words: String {
        switch self {
        case .scan(let segments, let readers):
            "a full sync in \(Spoken.count(UInt64(segments), "segment")), \(readers) at a time to begin with"
        case .goOnScanning(let finished, let segments, let items):
            "the full sync goes on: \(Spoken.count(items, "item")), \(finished) of \(segments) segments are finished"
        case .follow(.latest): "its stream, from what comes from then on"
        case .follow: "its stream, from the oldest record that it still holds"
        case .goOnFollowing(let shards):
            "its stream goes on where the journal stands, in \(Spoken.count(UInt64(shards), "shard"))"
        case .nothing: "nothing: the full sync is finished"
        case .unknown: "unknown"
        }
    }
}
