internal import Dispatcher
internal import Journal
internal import StreamModel

/// One event as `history` and `tail` show it.
struct EventView: Sendable {
    let event: Event

    init(_ event: Event) { self.event = event }

    /// The envelope, then the event's own fields.
    var json: JSON {
        var members: [JSON.Member] = [
            .init("position", .unsigned(event.position.number)),
            .init("revision", event.revision.map { .unsigned($0.number) } ?? .null),
            .init("time", .string(event.time.description)),
            .init("run", .unsigned(event.run.position.number)),
            .init("table", .string(table)),
            .init("stream", .string(stream)),
            .init("shard", .string(shard)),
            .init("event", .string(event.payload.kind)),
        ]
        members += own
        return .object(members)
    }

    private var table: String? {
        switch event.subject {
        case .run: nil
        case .table(let name): name.text
        case .shard(let key): key.table.text
        }
    }

    private var stream: String? {
        switch (event.subject, event.payload) {
        case (.shard(let key), _): key.stream.text
        case (_, .phaseChanged(let change)): change.stream?.text
        case (_, .tableRemoved(let removed)): removed.stream?.text
        case (.run, _), (.table, _): nil
        }
    }

    private var shard: String? {
        switch event.subject {
        case .run, .table: nil
        case .shard(let key): key.shard.text
        }
    }

    private var own: [JSON.Member] {
        switch event.payload {
        case .runStarted(let run):
            [
                .init("role", .string(run.role)), .init("version", .string(run.version)),
                .init("host", .string(run.host)), .init("pid", .integer(Int64(run.pid))),
                .init("region", .string(run.region)), .init("endpoint", .string(run.endpoint)),
                .init("target", .string(run.target)),
            ]
        case .runStopped(let stop): [.init("reason", .string(stop.reason))]
        case .phaseChanged(let change):
            [
                .init("from", .string(change.from?.rawValue)), .init("to", .string(change.to.rawValue)),
                .init("phase", .string(change.to.rawValue)), .init("reason", .string(change.reason)),
                .init("table_id", .string(change.tableID?.text)), .init("filter", .string(change.wanted?.fingerprint)),
            ]
        case .scanAdvanced(let scan):
            [
                .init("segment", .unsigned(UInt64(scan.segment))),
                .init("total_segments", .unsigned(UInt64(scan.totalSegments))),
                .init("last_evaluated_key", .string(scan.lastEvaluatedKey.map { String(decoding: $0, as: UTF8.self) })),
                .init("items", .unsigned(scan.items)), .init("bytes", .unsigned(scan.bytes)),
                .init("target_token", .string(scan.targetToken?.text)),
            ]
        case .rowsSwept(let swept):
            [.init("rows", .unsigned(swept.rows)), .init("target_token", .string(swept.targetToken?.text))]
        case .repaired(let repair):
            [
                .init("written", .unsigned(repair.written)), .init("removed", .unsigned(repair.removed)),
                .init("target", .string(repair.target)), .init("author", .string(repair.author)),
            ]
        case .scanFinished(let scan): [.init("items", .unsigned(scan.items))]
        case .shardDiscovered(let found):
            [
                .init("parent", .string(found.parent?.text)),
                .init("starting_sequence_number", .string(found.range.starting?.text)),
                .init("ending_sequence_number", .string(found.range.ending?.text)),
                .init("start", .string(found.start.rawValue)),
            ]
        case .queried(let query):
            [
                .init("seen_revision", .unsigned(query.revision.number)),
                .init("status", .string(query.status.rawValue)),
                .init("iterator_type", .string(query.iteratorType.rawValue)),
                .init("sequence_number", .string(query.sequenceNumber?.text)), .init("worker", .string(query.worker)),
            ]
        case .iteratorResolved(let resolved):
            [
                .init("rule", .string(resolved.rule)), .init("iterator_type", .string(resolved.iteratorType.rawValue)),
                .init("sequence_number", .string(resolved.sequenceNumber?.text)),
                .init("iterator", .string(resolved.iterator?.token)),
            ]
        case .statusChanged(let change):
            [
                .init("from", .string(change.from.rawValue)), .init("to", .string(change.to.rawValue)),
                .init("reason", .string(change.reason)),
            ]
        case .sequenceAdvanced(let advance):
            [
                .init("sequence_number", .string(advance.sequenceNumber.text)),
                .init("records", .unsigned(advance.records)), .init("bytes", .unsigned(advance.bytes)),
                .init("approximate_time", .string(advance.approximateTime?.description)),
                .init("target_token", .string(advance.targetToken?.text)),
            ]
        case .advancesFolded(let folded):
            [
                .init("first_position", .unsigned(folded.first.number)),
                .init("first_revision", .unsigned(folded.firstRevision.number)),
                .init("since", .string(folded.since.description)), .init("count", .unsigned(folded.count)),
                .init("sequence_number", .string(folded.advance.sequenceNumber.text)),
                .init("records", .unsigned(folded.advance.records)), .init("bytes", .unsigned(folded.advance.bytes)),
                .init("approximate_time", .string(folded.advance.approximateTime?.description)),
                .init("target_token", .string(folded.advance.targetToken?.text)),
            ]
        case .historyFolded(let folded):
            [
                .init("first_position", .unsigned(folded.first.number)),
                .init("first_revision", .unsigned(folded.firstRevision.number)),
                .init("since", .string(folded.since.description)), .init("count", .unsigned(folded.count)),
                .init("status", .string(folded.checkpoint.status.rawValue)),
                .init("parent", .string(folded.checkpoint.parent?.text)),
                .init("starting_sequence_number", .string(folded.checkpoint.range.starting?.text)),
                .init("ending_sequence_number", .string(folded.checkpoint.range.ending?.text)),
                .init("sequence_number", .string(folded.checkpoint.sequenceNumber?.text)),
                .init("records", .unsigned(folded.checkpoint.records)),
                .init("bytes", .unsigned(folded.checkpoint.bytes)),
                .init("approximate_time", .string(folded.checkpoint.approximateTime?.description)),
                .init("target_token", .string(folded.checkpoint.targetToken?.text)),
                .init("epoch", .unsigned(folded.checkpoint.epoch.number)),
            ]
        case .faulted(let fault):
            [
                .init("code", .string(fault.code)), .init("message", .string(fault.message)),
                .init("retried", .bool(fault.isRetried)),
            ]
        case .rewound(let rewind):
            [
                .init("from_sequence_number", .string(rewind.from?.text)),
                .init("to_sequence_number", .string(rewind.to?.text)), .init("inclusive", .bool(rewind.inclusive)),
                .init("reason", .string(rewind.reason)), .init("author", .string(rewind.author)),
                .init("cascade_root", .string(rewind.cascadeRoot?.text)),
                .init("epoch", .unsigned(rewind.epoch.number)),
            ]
        case .rangeLost(let lost):
            [
                .init("cause", .string(lost.cause.rawValue)), .init("from_sequence_number", .string(lost.from?.text)),
                .init("to_sequence_number", .string(lost.to?.text)), .init("since", .string(lost.since?.description)),
                .init("policy", .string(lost.policy.rawValue)), .init("detail", .string(lost.detail)),
            ]
        case .lossAcknowledged(let word):
            [
                .init("author", .string(word.author)), .init("reason", .string(word.reason)),
                .init("remedy", .string(word.remedy?.rawValue)),
            ]
        case .recordRefused(let refused):
            [
                .init("sequence_number", .string(refused.sequenceNumber?.text)), .init("code", .string(refused.code)),
                .init("cause", .string(refused.cause)), .init("offset", .unsigned(refused.offset)),
                .init("bytes", .unsigned(refused.bytes)),
            ]
        case .refusalSettled(let settled):
            [
                .init("refusal", .unsigned(settled.refusal.number)), .init("author", .string(settled.author)),
                .init("reason", .string(settled.reason)),
            ]
        case .inStep(let sign): [.init("until", .string(sign.until.description))]
        case .paused(let word): [.init("author", .string(word.author)), .init("reason", .string(word.reason))]
        case .resumed(let word): [.init("author", .string(word.author)), .init("reason", .string(word.reason))]
        case .tableRemoved(let removed): [.init("table_id", .string(removed.tableID?.text))]
        case .imported(let imported): imported.members
        case .unknown(let kind, let encoded):
            [.init("kind", .unsigned(UInt64(kind))), .init("encoded_bytes", .integer(Int64(encoded.count)))]
        }
    }

    /// The event's own facts in a few words. Tokens are shortened here, and whole in JSON.
    var words: String {
        switch event.payload {
        case .runStarted(let run):
            "\(run.role) \(run.version), pid \(run.pid) on \(run.host)"
                + (run.region.isEmpty ? "" : ", \(run.region)") + (run.endpoint.isEmpty ? "" : " at \(run.endpoint)")
                + (run.target.isEmpty ? "" : " into \(run.target)")
        case .runStopped(let stop): stop.reason
        case .phaseChanged(let change):
            (change.from.map { "\($0.rawValue) → " } ?? "") + change.to.rawValue + Self.because(change.reason)
        case .scanAdvanced(let scan):
            "segment \(scan.segment) of \(scan.totalSegments): \(Spoken.count(scan.items, "item")), "
                + Spoken.size(scan.bytes) + (scan.lastEvaluatedKey == nil ? ", the segment's end" : "")
        case .rowsSwept(let swept):
            "\(Spoken.count(swept.rows, "row")) removed that the source has no more"
        case .repaired(let repair):
            "\(repair.author) put right \(Spoken.count(repair.written + repair.removed, "row")) that differed"
                + (repair.removed > 0 ? ", \(Spoken.count(repair.removed)) of them by removal" : "")
        case .scanFinished(let scan): Spoken.count(scan.items, "item")
        case .shardDiscovered(let found): Self.words(found)
        case .queried(let query):
            "saw revision \(query.revision), \(query.status.rawValue), \(query.iteratorType.rawValue)"
                + (query.sequenceNumber.map { " \($0)" } ?? "") + ", by \(query.worker)"
        case .iteratorResolved(let resolved):
            "\(resolved.rule): \(resolved.iteratorType.rawValue)"
                + (resolved.sequenceNumber.map { " \($0)" } ?? "")
                + (resolved.iterator.map { ", iterator \($0)" } ?? "")
        case .statusChanged(let change):
            "\(change.from.rawValue) → \(change.to.rawValue)" + Self.because(change.reason)
        case .sequenceAdvanced(let advance): Self.words(advance)
        case .advancesFolded(let folded):
            "\(Spoken.count(folded.count, "advance")) since \(Spoken.time(folded.since)), from position \(folded.first), "
                + "revision \(folded.firstRevision), \(Self.words(folded.advance))"
        case .historyFolded(let folded): Self.words(folded)
        case .faulted(let fault): "\(fault.code): \(fault.message)\(fault.isRetried ? " (tried again)" : "")"
        case .rewound(let rewind):
            "\(rewind.from.map(\.text) ?? "the start") → "
                + (rewind.to.map { "\($0)\(rewind.inclusive ? " inclusive" : "")" } ?? "the start")
                + ", epoch \(rewind.epoch), by \(rewind.author)"
                + (rewind.cascadeRoot.map { ", with its ancestor \($0)" } ?? "") + Self.because(rewind.reason)
        case .rangeLost(let lost):
            "\(lost.spokenRange) (\(lost.cause.rawValue), \(lost.policy.rawValue)): \(lost.detail)"
        case .lossAcknowledged(let word):
            "by \(word.author)" + (word.remedy.map { ", goes on by \($0.rawValue)" } ?? "") + Self.because(word.reason)
        case .recordRefused(let refused):
            (refused.sequenceNumber.map { "the record at \($0)" } ?? "an item of the full sync")
                + ", now in dead-letters.jsonl: \(refused.cause)"
        case .refusalSettled(let settled):
            "the dead letter \(settled.refusal), by \(settled.author)" + Self.because(settled.reason)
        case .inStep(let sign): "all that was made until \(Spoken.time(sign.until).prefix(19)) is in the target"
        case .paused(let word): "by \(word.author)" + Self.because(word.reason)
        case .resumed(let word): "by \(word.author)" + Self.because(word.reason)
        case .tableRemoved: "the source has no table of this name any more; what is known of it stays"
        case .imported(let imported): imported.words
        case .unknown(let kind, let encoded):
            "kind \(kind), \(Spoken.size(UInt64(encoded.count))): written by a newer version"
        }
    }

    private static func words(_ advance: SequenceAdvanced) -> String {
        "to \(advance.sequenceNumber): \(Spoken.count(advance.records, "record")), \(Spoken.size(advance.bytes))"
            + (advance.approximateTime.map { ", of \(Spoken.time($0).prefix(19))" } ?? "")
    }

    private static func words(_ folded: HistoryFolded) -> String {
        "\(Spoken.count(folded.count, "event")) since \(Spoken.time(folded.since)), from position \(folded.first), "
            + "revision \(folded.firstRevision): then \(folded.checkpoint.status.rawValue)"
            + (folded.checkpoint.sequenceNumber.map { " at \($0)" } ?? "")
            + ", \(Spoken.count(folded.checkpoint.records, "record")) and \(Spoken.size(folded.checkpoint.bytes)) in all"
            + (folded.checkpoint.approximateTime.map { ", the last of \(Spoken.time($0).prefix(19))" } ?? "")
            + (folded.checkpoint.parent.map { ", child of \($0)" } ?? "")
    }

    private static func words(_ found: ShardDiscovered) -> String {
        let range =
            switch (found.range.starting, found.range.ending) {
            case (let start?, let end?): "\(start) … \(end), closed"
            case (let start?, nil): "from \(start), open"
            case (nil, let end?): "… \(end), closed"
            case (nil, nil): "open"
            }
        return range + (found.parent.map { ", child of \($0)" } ?? "") + ", begins at \(found.start.rawValue)"
    }

    private static func because(_ reason: String) -> String { reason.isEmpty ? "" : " (\(reason))" }

    var colour: Palette.Colour? {
        switch event.payload {
        case .runStarted, .runStopped: .bold
        case .phaseChanged, .scanFinished: .cyan
        case .statusChanged: .blue
        case .faulted, .rangeLost, .recordRefused, .tableRemoved: .red
        case .rewound, .repaired, .lossAcknowledged, .refusalSettled, .paused, .resumed, .imported: .yellow
        case .scanAdvanced, .rowsSwept, .shardDiscovered, .queried, .iteratorResolved, .sequenceAdvanced,
            .advancesFolded, .historyFolded, .inStep, .unknown:
            nil
        }
    }

    /// What the event is about, for a list of many shards' events.
    var about: String {
        switch event.subject {
        case .run: "run \(event.run)"
        case .table(let name): name.text
        case .shard(let key): key.description
        }
    }
}

extension RangeLost {
    /// `what came after 123`, `what came after 123 and before 456`.
    var spokenRange: String {
        "what came after \(from?.text ?? "the start")" + (to.map { " and before \($0)" } ?? "")
    }
}

extension Wanted {
    /// Of the condition; empty: there is none.
    fileprivate var fingerprint: String { if case .matching(let text) = self { text } else { "" } }
}
