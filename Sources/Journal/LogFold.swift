internal import StreamModel

/// The fold of a whole log, entry by entry, and what was met on the way: all that is kept beside the log follows from it.
struct LogFold {
    /// Why an entry can't be the next.
    struct Misfit: Error {
        let position: Position
        let problem: String
    }

    /// In the order of discovery.
    private(set) var shards: [Checkpoint] = []
    private(set) var tables: [TableName: TableState] = [:]
    /// Events that are gone.
    private(set) var folded: UInt64 = 0
    /// What lies in the log instead of them.
    private(set) var stretches: UInt64 = 0
    /// Entries of the index that went with them.
    private(set) var unindexed: UInt64 = 0
    /// The newest start of a daemon.
    private(set) var lastDaemon: Position?

    init() {}

    mutating func take(_ entry: LogEntry) throws(Misfit) {
        switch entry {
        case .event(let envelope, let payload, let naming):
            if payload.startsDaemon { lastDaemon = envelope.position }
            try take(envelope, payload, naming)
        case .folded(let stretch):
            for run in stretch.runs {
                try take(stretch.envelope(of: run), run.payload, run.naming)
                unindexed += run.indexedCount - (run.indexed == nil ? 0 : 1)
            }
            folded += stretch.count
            stretches += 1
        }
    }

    private mutating func take(
        _ envelope: WireFormat.Envelope, _ payload: Payload, _ naming: ShardKey?
    ) throws(Misfit) {
        if envelope.shard > 0 {
            do throws(Refusal) {
                try step(envelope, payload, naming)
            } catch {
                throw Misfit(position: envelope.position, problem: "the event can't follow: \(error)")
            }
        } else if let table = envelope.table {
            tables[table, default: TableState(table: table)]
                .apply(payload, position: envelope.position, time: envelope.time)
        }
    }

    /// One step of the fold of a shard, and its link to the step before.
    private mutating func step(
        _ envelope: WireFormat.Envelope, _ payload: Payload, _ naming: ShardKey?
    ) throws(Refusal) {
        let first = payload.firstRevision ?? envelope.revision
        guard Int(envelope.shard) <= shards.count else {
            guard let name = naming, Int(envelope.shard) == shards.count + 1, first == Revision(1) else {
                throw Self.unnamed(envelope, payload, naming)
            }
            shards.append(try .beginning(name, with: payload, position: envelope.position, time: envelope.time))
            return
        }
        let index = Int(envelope.shard) - 1
        let (revision, previous) = (shards[index].revision, shards[index].position)
        guard first == revision.next, envelope.previous == previous else { throw wrongLink(envelope, payload) }
        try shards[index].apply(payload, position: envelope.position, time: envelope.time)
    }

    private static func unnamed(_ envelope: WireFormat.Envelope, _ payload: Payload, _ naming: ShardKey?) -> Refusal {
        let nobody = ShardKey(
            table: TableName("?"), stream: StreamARN("?"), shard: ShardID("number \(envelope.shard)"))
        return Refusal(
            shard: naming ?? nobody, revision: .none, attempted: envelope.revision, kind: payload.kind,
            rule: "a shard's first event names it")
    }

    private func wrongLink(_ envelope: WireFormat.Envelope, _ payload: Payload) -> Refusal {
        let checkpoint = shards[Int(envelope.shard) - 1]
        return Refusal(
            shard: checkpoint.shard, revision: checkpoint.revision, attempted: envelope.revision, kind: payload.kind,
            rule: "its link leads to position \(envelope.previous), and the shard's event before it is at "
                + "\(checkpoint.position)")
    }
}

extension Payload {
    var startsDaemon: Bool {
        if case .runStarted(let started) = self { started.role == "daemon" } else { false }
    }
}
