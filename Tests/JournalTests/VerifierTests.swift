import LMDB
import StreamModel
import Testing

@testable import Journal

@Suite("Verifying a journal")
struct VerifierTests {
    private let scratch = Scratch()

    /// Shard 1 with 70 events and shard 2 with four.
    private func make() async throws -> Tampering {
        try await Journal.use(scratch.journal) { journal in
            try await journal.add(1, [.discovered()] + Payload.takenUp)
            try await journal.add(2, [.discovered()] + Payload.takenUp)
            for number in 1...66 { try await journal.add(1, .advanced(number)) }
            _ = try await journal.append([Draft(table: Sample.table, [.scanFinished(ScanFinished(items: 3))])])
            _ = try journal.verified()
        }
        return Tampering(path: scratch.journal)
    }

    /// Where damage is found: at the opening, or by verify.
    private func found(opening isSeenAtOpen: Bool = false) -> (position: UInt64?, problem: String) {
        let error = failure { () throws(JournalError) in
            let journal = try Journal.open(scratch.journal, .reader)
            if isSeenAtOpen { return }
            _ = try journal.verified()
        }
        guard case .damaged(scratch.journal, let position, let problem) = error else {
            return (nil, "\(String(describing: error)) is no damage")
        }
        #expect(error?.exitCode == 65)
        return (position?.number, problem)
    }

    @Test(
        "An event with one flipped bit is refused at the opening, and named by its position",
        arguments: [1, 7, 40, 77] as [UInt64])
    func flipped(position: UInt64) async throws {
        try await make().write { (transaction, schema) throws(LMDBError) in
            let key = Schema.key(Position(position))
            var value = try transaction.value(for: key, in: schema.log) ?? []
            value[value.count / 2] ^= 4
            try transaction.put(value, for: key, in: schema.log)
        }
        let (at, problem) = found(opening: true)
        #expect(at == position)
        #expect(problem == "the event doesn't match its hash, or the one before it was changed")
    }

    @Test("Two events that changed places are refused, the first by position")
    func swapped() async throws {
        try await make().write { (transaction, schema) throws(LMDBError) in
            let keys = [Schema.key(Position(20)), Schema.key(Position(21))]
            let values = [
                try transaction.value(for: keys[0], in: schema.log) ?? [],
                try transaction.value(for: keys[1], in: schema.log) ?? [],
            ]
            try transaction.put(values[1], for: keys[0], in: schema.log)
            try transaction.put(values[0], for: keys[1], in: schema.log)
        }
        #expect(found(opening: true).position == 20)
    }

    @Test("An event that is missing is seen at the opening", arguments: [1, 30, 76] as [UInt64])
    func missing(position: UInt64) async throws {
        try await make().write { (transaction, schema) throws(LMDBError) in
            try transaction.remove(Schema.key(Position(position)), in: schema.log)
        }
        #expect(found(opening: true).problem.hasSuffix("is no damage") == false)
    }

    @Test("The last events cut off are seen at the opening, since a shard stands behind them")
    func cut() async throws {
        try await make().write { (transaction, schema) throws(LMDBError) in
            for position in (70...77) as ClosedRange<UInt64> {
                try transaction.remove(Schema.key(Position(position)), in: schema.log)
            }
        }
        let (at, problem) = found(opening: true)
        #expect(at == 69)
        #expect(problem == "shard orders/shardId-00001 stands at position 75, which the log doesn't hold")
    }

    @Test("A stored state that is not the fold is named")
    func state() async throws {
        try await make().write { (transaction, schema) throws(LMDBError) in
            let key = Schema.key(shard: 1)
            guard let bytes = Sealed.open(try transaction.value(for: key, in: schema.checkpoints) ?? [], under: key),
                var checkpoint = WireFormat.decodeCheckpoint(bytes, of: Sample.key(1))
            else { return }
            checkpoint.records += 1
            try transaction.put(
                sealed(under: key) { WireFormat.encode(checkpoint, onto: &$0) }, for: key, in: schema.checkpoints)
        }
        let (at, problem) = found()
        #expect(at == 75)
        #expect(problem == "what is kept of shard orders/shardId-00001 is not the fold of its events")
    }

    @Test("A stored state that was overwritten with another shard's is seen at the opening")
    func otherState() async throws {
        try await make().write { (transaction, schema) throws(LMDBError) in
            let value = try transaction.value(for: Schema.key(shard: 2), in: schema.checkpoints) ?? []
            try transaction.put(value, for: Schema.key(shard: 1), in: schema.checkpoints)
        }
        #expect(found(opening: true).problem == "the checkpoint of shard number 1 can't be read")
    }

    @Test("A table's state that is not the fold is named")
    func table() async throws {
        try await make().write { (transaction, schema) throws(LMDBError) in
            let key = Schema.key(Sample.table)
            let empty = TableState(table: Sample.table)
            try transaction.put(sealed(under: key) { WireFormat.encode(empty, onto: &$0) }, for: key, in: schema.tables)
        }
        #expect(found().problem == "what is kept of table orders is not the fold of its events")
    }

    enum Kept: CaseIterable { case shard, table, daemon, index }

    // What a page of an older time holds is right by every seal. Whoever appended upon it would give a revision twice.
    @Test("What is kept from an older time is refused to whoever writes, and verify names it", arguments: Kept.allCases)
    func older(kept: Kept) async throws {
        let tampering = try await make()
        func place(_ schema: Schema) -> (key: [UInt8], table: LMDB.Table) {
            switch kept {
            case .shard: (Schema.key(shard: 1), schema.checkpoints)
            case .table: (Schema.key(Sample.table), schema.tables)
            case .daemon: (Schema.lastDaemonRunKey, schema.meta)
            case .index: (Schema.key(shard: 1, Revision(97)), schema.index)
            }
        }
        var old: [UInt8]?
        try tampering.write { (transaction, schema) throws(LMDBError) in
            old = try transaction.value(for: place(schema).key, in: place(schema).table)
        }
        try await Journal.use(scratch.journal) { journal in
            for number in 67...100 { try await journal.add(1, .advanced(number)) }
            _ = try await journal.append([Draft(table: Sample.table, [.faulted()])])
        }
        try tampering.write { (transaction, schema) throws(LMDBError) in
            let (key, table) = place(schema)
            if let old { try transaction.put(old, for: key, in: table) } else { try transaction.remove(key, in: table) }
        }
        let before = try File.bytes(scratch.journal + "/data.mdb")
        let problems: [Kept: String] = [
            .shard: "what is kept of shard orders/shardId-00001 is not the fold of its events",
            .table: "what is kept of table orders is not the fold of its events",
            .daemon: "what is kept of the last start of a daemon leads to another event",
            .index: "the history index lacks revision 97 of shard number 1",
        ]
        for access in [Journal.Access.daemon(Sample.daemon), .steward(Sample.steward)] {
            let error = failure { () throws(JournalError) in try Journal.open(scratch.journal, access) }
            guard case .damaged(scratch.journal, _?, problems[kept]) = error else {
                Issue.record("\(kept): \(String(describing: error))")
                continue
            }
        }
        #expect(try File.bytes(scratch.journal + "/data.mdb") == before)
        #expect(
            kept == .index
                ? found().problem == "the history index has 4 entries, not 5" : found().problem == problems[kept])
    }

    @Test("An index entry that is missing, too many, or leads elsewhere is seen")
    func index() async throws {
        let tampering = try await make()
        let key = Schema.key(shard: 1, Revision(33))
        var entry: [UInt8] = []
        try tampering.write { (transaction, schema) throws(LMDBError) in
            entry = try transaction.value(for: key, in: schema.index) ?? []
            try transaction.remove(key, in: schema.index)
        }
        #expect(found().problem == "the history index has 3 entries, not 4")
        let journal = try Journal.open(scratch.journal, .reader)
        #expect(
            failure { () throws(JournalError) in try journal.history(of: Sample.key(1), HistoryQuery()) }?.description
                .contains(
                    "the history index lacks revision 33 of shard orders/shardId-00001") == true)
        // One that is right, but stands where none belongs, does not make up for it.
        try tampering.write { (transaction, schema) throws(LMDBError) in
            let before = Schema.key(Position((Schema.position(entry)?.number ?? 1) - 1))
            try transaction.put(before, for: Schema.key(shard: 1, Revision(32)), in: schema.index)
        }
        #expect(found().problem == "an entry of the history index leads to another event than it names")
        try tampering.write { (transaction, schema) throws(LMDBError) in
            try transaction.remove(Schema.key(shard: 1, Revision(32)), in: schema.index)
            try transaction.put(Schema.key(Position(3)), for: key, in: schema.index)
        }
        #expect(found().problem == "an entry of the history index leads to another event than it names")
        try tampering.write { (transaction, schema) throws(LMDBError) in
            try transaction.put(entry, for: key, in: schema.index)
        }
        #expect(failure { () throws(JournalError) in try Journal.open(scratch.journal, .reader).verified() } == nil)
    }

    @Test("A history that can't have been is named, even where every hash is right")
    func impossible() async throws {
        try await make().rewrite { event, _ in event.position == Position(60) ? .advanced(3) : nil }
        let (at, problem) = found()
        #expect(at == 60)
        #expect(problem.contains("does not come after"))
    }

    @Test("A kind that this program does not know is passed over, and everything else is proved")
    func unknownKind() async throws {
        // Field 40 holding an empty message stands where a newer program would put its own kind.
        try await make().write { (transaction, schema) throws(LMDBError) in
            var chain = ChainHash.zero
            for position in (1...77) as ClosedRange<UInt64> {
                let key = Schema.key(Position(position))
                var bytes = try transaction.value(for: key, in: schema.log) ?? []
                if position == 76 {
                    bytes = encoded(
                        WireFormat.Envelope(
                            position: Position(76), time: Sample.noon, run: RunID(Position(1)), shard: 0,
                            revision: .none, previous: .origin, table: nil), .runStopped(RunStopped(reason: "")))
                    bytes.removeLast(3)  // tag and length of run_stopped
                    bytes += [0xC2, 0x02, 0x00]
                }
                (bytes, chain) = chained(bytes, after: chain)
                try transaction.put(bytes, for: key, in: schema.log)
            }
            try transaction.remove(Schema.key(Sample.table), in: schema.tables)
        }
        try await Journal.use(scratch.journal) { journal in
            #expect(
                try journal.events(after: Position(75), limit: 1).first?.payload
                    == .unknown(kind: 40, encoded: [0xC2, 0x02, 0x00]))
            try await journal.add(1, .advanced(100))
            _ = try journal.verified()
        }
    }
}
