package import Journal
package import StreamModel

/// Full syncs that the journal says are due, and what the service was asked for since: each that is durable there is followed by a scan
/// that begins after it, all segments of it, and is finished. Nobody takes such a word back but whoever answers a loss in another way.
package struct Promises: Sendable {
    /// Since when each table owes one.
    private var due: [TableName: Timestamp] = [:]
    /// And since when for an operator's answer to a loss.
    private var answered: [TableName: Timestamp] = [:]
    /// When the first page of each segment was last asked for.
    private var begun: [TableName: [Int: Timestamp]] = [:]
    private var segments: [TableName: Int] = [:]

    package init() {}

    /// What is still owed, and since when.
    package var unkept: [(table: TableName, since: Timestamp)] {
        due.merging(answered) { min($0, $1) }.map { (table: $0.key, since: $0.value) }
            .sorted { $0.table < $1.table }
    }

    package mutating func scanBegins(_ table: TableName, _ segment: Int, at now: Timestamp) {
        begun[table, default: [:]][segment] = now
    }

    package mutating func take(_ event: Event, _ note: (String) -> Void) {
        guard let table = event.subject.table else { return }
        switch event.payload {
        case .phaseChanged(let change) where change.to == .fullSync:
            note("promise: \(due[table] == nil ? "a full sync" : "another beside it")")
            due[table] = event.time
        case .lossAcknowledged(let word):
            switch word.remedy {
            case .resync:
                note("promise: an answer to a loss")
                answered[table] = event.time
            case .skip: answered[table] = nil
            case .stop, nil: break
            }
        case .scanAdvanced(let advance): segments[table] = Int(advance.totalSegments)
        case .scanFinished:
            if let since = due[table], hasBegun(table, since) {
                note("promise: kept")
                due[table] = nil
            }
            if let since = answered[table], hasBegun(table, since) { answered[table] = nil }
        default: break
        }
    }

    private func hasBegun(_ table: TableName, _ since: Timestamp) -> Bool {
        guard let count = segments[table], let begun = begun[table] else { return false }
        return (0..<count).allSatisfy { begun[$0].map { $0 >= since } ?? false }
    }
}

extension Judge {
    /// At the end no full sync is owed, save of tables that wait for a stream.
    package var unkeptPromises: [Violation] {
        promises.unkept.filter { !standing.contains($0.table) }.map {
            Violation(.word, "\($0.table): nothing that began since \($0.since) is finished")
        }
    }
}
