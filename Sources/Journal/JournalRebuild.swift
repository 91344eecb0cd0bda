internal import LMDB
package import StreamModel

/// Makes a journal of the entries of another one's log: the log byte by byte, and what is kept beside it by folding that.
///
/// It lies beside its place until `finish`; what was begun and not finished is removed by the next one, or by `discard`.
package struct JournalRebuild: ~Copyable {
    private let draft: JournalDraft
    private let store: Store
    private let run: RunStarted
    private let surroundings: Surroundings

    private var fold = LogFold()
    private var chain = ChainHash.zero
    /// Of the last entry that was added.
    package private(set) var position = Position.origin
    /// Ends of entries, as far as they are not beyond what was folded in the other journal.
    private var (foldedTo, historyFoldedTo) = (Position.origin, Position.origin)
    private let limits: (folded: Position, history: Position)

    private struct Pending {
        let key: Position
        let value: [UInt8]
        let indexed: [(shard: UInt32, revision: Revision, position: Position)]
    }
    private var pending: [Pending] = []
    private var pendingBytes = 0

    /// Of one transaction.
    private static let mostEntries = 8192
    private static let mostBytes = 8 << 20

    /// - Parameters:
    ///   - path: where there must be nothing, or an empty folder.
    ///   - foldedTo, historyFoldedTo: as the export says.
    /// - Throws: `.exists`, `.busy`, `.cannotCreate`, `.networkFileSystem`, `.disk`.
    package init(
        _ path: String, foldedTo: Position, historyFoldedTo: Position, by run: RunStarted,
        surroundings: Surroundings = Surroundings()
    ) throws(JournalError) {
        let draft = try JournalDraft(path)
        if let type = FileSystem.networkName(magic: DataFile.fileSystemMagic(of: draft.path)) {
            draft.discard()
            throw .networkFileSystem(path: path, type: type)
        }
        do throws(JournalError) {
            store = try Self.make(draft.path)
        } catch {
            draft.discard()
            throw error
        }
        self.draft = draft
        self.run = run
        self.surroundings = surroundings
        limits = (foldedTo, historyFoldedTo)
    }

    private static func make(_ path: String) throws(JournalError) -> Store {
        let environment: Environment
        do throws(LMDBError) {
            environment = try EnvironmentRegistry.open(path, mapSize: Journal.mapSize, readOnly: false)
        } catch {
            throw .cannotCreate(path: path, reason: "\(error)")
        }
        let schema = try environment.write { (transaction) throws(JournalError) in
            do throws(LMDBError) {
                let schema = try Schema(creatingIn: &transaction)
                try transaction.put(Array(Schema.format.utf8), for: Schema.formatKey, in: schema.meta)
                return schema
            } catch {
                throw .storage(error)
            }
        }
        FileSystem.restrict(path + "/data.mdb")
        return Store(environment: environment, schema: schema, path: path)
    }

    /// Adds what comes next in the log.
    ///
    /// - Returns: what it says.
    /// - Throws: `.misfit` where it can't come next, and nothing is added; `.disk` and the like.
    package mutating func add(hash: [UInt8], encoded: [UInt8]) throws(JournalError) -> ExportedEntry {
        let value = hash + encoded
        guard hash.count == ChainHash.count else {
            throw .misfit(position: position.next, problem: "its hash has \(hash.count) bytes, not \(ChainHash.count)")
        }
        let entry: LogEntry
        do throws(JournalError) {
            entry = try store.open(value.span, at: position.next, after: chain)
        } catch {
            guard case .damaged(_, let place, let problem) = error else { throw error }
            throw .misfit(position: place, problem: problem)
        }
        do throws(LogFold.Misfit) { try fold.take(entry) } catch {
            throw .misfit(position: error.position, problem: error.problem)
        }
        chain = ChainHash(value)
        position = entry.last
        if position <= limits.folded { foldedTo = position }
        if position <= limits.history { historyFoldedTo = position }
        pending.append(Pending(key: entry.first, value: value, indexed: Self.indexed(entry)))
        pendingBytes += value.count
        if pending.count >= Self.mostEntries || pendingBytes >= Self.mostBytes { try flush() }
        return ExportedEntry(
            first: entry.first, last: entry.last, hash: hash, encoded: encoded, events: events(entry))
    }

    /// Of events that were folded nobody knows any more where the one lay that the index names: it leads to the first of them.
    private static func indexed(_ entry: LogEntry) -> [(shard: UInt32, revision: Revision, position: Position)] {
        switch entry {
        case .event(let envelope, _, _):
            envelope.shard > 0 && Schema.isIndexed(envelope.revision)
                ? [(envelope.shard, envelope.revision, envelope.position)] : []
        case .folded(let stretch):
            stretch.runs.compactMap { run in run.indexed.map { (run.shard, $0, run.first) } }
        }
    }

    private func events(_ entry: LogEntry) -> [Event] {
        switch entry {
        case .event(let envelope, let payload, _): [event(envelope, payload)]
        case .folded(let stretch):
            stretch.runs.sorted { $0.last < $1.last }.map { event(stretch.envelope(of: $0), $0.payload) }
        }
    }

    private func event(_ envelope: WireFormat.Envelope, _ payload: Payload) -> Event {
        let subject: Subject =
            if envelope.shard > 0 {
                .shard(fold.shards[Int(envelope.shard) - 1].shard)
            } else {
                envelope.table.map { .table($0) } ?? .run
            }
        return Event(
            position: envelope.position, time: envelope.time, run: envelope.run, subject: subject,
            revision: envelope.shard > 0 ? envelope.revision : nil, payload: payload)
    }

    private mutating func flush() throws(JournalError) {
        let pending = pending
        try write { (transaction, schema) throws(LMDBError) in
            for entry in pending {
                try transaction.put(entry.value.span, for: entry.key.number, in: schema.log, appending: true)
                for indexed in entry.indexed {
                    try transaction.put(
                        Schema.key(indexed.position), for: Schema.key(shard: indexed.shard, indexed.revision),
                        in: schema.index)
                }
            }
        }
        self.pending.removeAll(keepingCapacity: true)
        pendingBytes = 0
    }

    private func write(
        _ body: (inout WriteTransaction, Schema) throws(LMDBError) -> Void
    ) throws(JournalError) {
        while true {
            do throws(JournalError) {
                return try store.environment.write { (transaction) throws(JournalError) in
                    do throws(LMDBError) { try body(&transaction, store.schema) } catch { throw .storage(error) }
                }
            } catch {
                guard case .storage(let storage) = error, storage.isMapFull else { throw store.commitError(error) }
                try store.growMap()
            }
        }
    }

    /// Writes what is kept beside the log, verifies all, and gives the journal its name.
    ///
    /// - Throws: `.misfit` where nothing was added; `.exists`, `.damaged`, `.disk`.
    package consuming func finish(progress: (CopyProgress) -> Void = { _ in }) throws(JournalError) -> CopyReport {
        let (draft, run, now) = (draft, run, surroundings.now())
        do throws(JournalError) {
            let bytes = try finishLog()
            try draft.sign(by: run, now: now)
            let copy = try Journal.open(draft.path, .reader)
            let last = try copy.lastPosition()
            let verified = try copy.verify { progress(.verifying($0, of: last)) }
            try draft.publish()
            return CopyReport(bytes: bytes, verified: verified)
        } catch {
            draft.discard()
            throw error
        }
    }

    private mutating func finishLog() throws(JournalError) -> UInt64 {
        guard position > .origin else { throw .misfit(position: nil, problem: "there is no event") }
        try flush()
        let fold = fold
        var compacted = Compacted()
        (compacted.position, compacted.history) = (foldedTo, historyFoldedTo)
        (compacted.events, compacted.stretches, compacted.unindexed) = (fold.folded, fold.stretches, fold.unindexed)
        try write { (transaction, schema) throws(LMDBError) in
            for (index, checkpoint) in fold.shards.enumerated() {
                let key = Schema.key(shard: UInt32(index + 1))
                try transaction.put(
                    Self.sealed(under: key) { WireFormat.encode(checkpoint.shard, onto: &$0) }, for: key,
                    in: schema.shards)
                try transaction.put(
                    Self.sealed(under: key) { WireFormat.encode(checkpoint, onto: &$0) }, for: key,
                    in: schema.checkpoints)
            }
            for (name, table) in fold.tables {
                let key = Schema.key(name)
                try transaction.put(
                    Self.sealed(under: key) { WireFormat.encode(table, onto: &$0) }, for: key, in: schema.tables)
            }
            if let start = fold.lastDaemon {
                try transaction.put(Schema.key(start), for: Schema.lastDaemonRunKey, in: schema.meta)
            }
            if compacted != Compacted() {
                try transaction.put(compacted.value, for: Compacted.key, in: schema.meta)
            }
        }
        return UInt64(store.environment.usedBytes)
    }

    private static func sealed(under key: [UInt8], _ encode: (inout WireWriter) -> Void) -> [UInt8] {
        var writer = WireWriter()
        writer.skip(Seal.count)
        encode(&writer)
        Sealed.seal(&writer, under: key)
        return writer.written
    }

    /// Takes away what was written.
    package consuming func discard() { draft.discard() }
}
