import Journal
import StreamModel

/// What tests ask of a journal, by a shard's name.
extension Journal {
    func status(of shard: String) throws(JournalError) -> Status? { try checkpoint(of: Sample.key(shard))?.status }

    /// The last number that is durable.
    func number(of shard: String) throws(JournalError) -> Int? {
        try checkpoint(of: Sample.key(shard))?.sequenceNumber.flatMap { Int($0.text) }
    }

    func phase() throws(JournalError) -> Phase? { try table(Sample.table)?.phase }

    func everything() throws(JournalError) -> [Event] { try events(after: .origin, limit: .max) }

    /// A shard's events, oldest first.
    func events(of shard: String) throws(JournalError) -> [Event] {
        try history(of: Sample.key(shard), HistoryQuery())
    }

    /// Kinds of a shard's events, oldest first.
    func kinds(of shard: String) throws(JournalError) -> [String] { try events(of: shard).map(\.payload.kind) }

    /// Appends an operator's rewind, as the journal stands.
    func rewind(_ shard: ShardKey, to place: RewindRequest.Place, inclusive: Bool = false) async throws {
        let request = RewindRequest(place: place, inclusive: inclusive, reason: "a test", author: "operator")
        let plan = try RewindPlan.make(request, of: shard, among: try checkpoints())
        _ = try await append(plan.drafts)
    }
}

extension Event {
    var shard: String? {
        if case .shard(let key) = subject { key.shard.text } else { nil }
    }

    /// Where the status went, for an event that changed it.
    var newStatus: Status? {
        if case .statusChanged(let change) = payload { change.to } else { nil }
    }

    var advance: SequenceAdvanced? {
        if case .sequenceAdvanced(let advance) = payload { advance } else { nil }
    }

    var fault: Faulted? {
        if case .faulted(let fault) = payload { fault } else { nil }
    }

    var resolved: IteratorResolved? {
        if case .iteratorResolved(let resolved) = payload { resolved } else { nil }
    }
}

extension TableState {
    /// Whether a full sync of it has come to its end.
    var isScanned: Bool { phase == .incrSync && fullSync != nil }
}
