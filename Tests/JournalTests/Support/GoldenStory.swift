import LMDB
import StreamModel
import Synchronization

@testable import Journal

/// The story of the golden journal of this format: every kind of event, in a history that can have been.
///
/// `tools/golden` writes it into the folder that the tests open. Once a version with a format is released, that format's
/// folder stays as it is for good, and this is the story of the next one.
enum GoldenStory {
    /// Every event is one second after the one before it, so that the same program makes the same journal.
    private final class Clock: Sendable {
        private let ticks = Atomic(0)
        func now() -> Timestamp { Sample.noon + .seconds(ticks.add(1, ordering: .relaxed).newValue) }
    }

    static func write(to path: String) async throws {
        let clock = Clock()
        let surroundings = Surroundings(now: { clock.now() })
        var daemon = Sample.daemon
        daemon.target = "sqlite:/data/replica.db"
        let journal = try Journal.open(
            path, .daemon(daemon), mapSize: 16 << 20, surroundings: surroundings, isInline: true)
        try await fill(journal)
        await journal.close(reason: "the story of the daemon ends")
        let steward = try Journal.open(
            path, .steward(Sample.steward), mapSize: 16 << 20, surroundings: surroundings, isInline: true)
        try await rewind(steward)
        await steward.close(reason: "")
    }

    private static func fill(_ journal: Journal) async throws {
        // 1 ─▶ 2, and 3 alone; 4 is found already closed, and not needed.
        _ = try await journal.append([
            Draft(shard: Sample.key(1), expecting: .none, [.discovered(from: 1)]),
            Draft(shard: Sample.key(2), expecting: .none, [.discovered(parent: 1, from: 301)]),
            Draft(shard: Sample.key(3), expecting: .none, [.discovered(start: .latest)]),
            Draft(
                shard: Sample.key(4), expecting: .none,
                [.discovered(from: 1, to: 2), .status(.notProcessed, .notNeeded)]),
        ])
        let full = PhaseChanged(from: nil, to: .fullSync, stream: Sample.stream, reason: "the table is new")
        let key = Array(#"{"pk":{"S":"schlüssel"},"sk":{"N":"1E+2"}}"#.utf8)
        for payload in [
            .phaseChanged(full), advance(0, key), advance(1, nil), .refused(nil), advance(0, nil),
            .faulted("Throttled"),
            .rowsSwept(RowsSwept(rows: 3, targetToken: TargetToken("9"))), .scanFinished(ScanFinished(items: 30)),
            .repaired(Repaired(written: 2, removed: 1, target: "sqlite:copy.db", author: "ops@host")),
            .lost(.resync, .streamReplaced), .acknowledged(.resync),
            .paused(Paused(author: "ops@host", reason: "the target moves")),
            .resumed(Resumed(author: "ops@host", reason: "it has moved")),
            .phaseChanged(
                PhaseChanged(from: .fullSync, to: .incrSync, stream: Sample.stream, reason: "the scan is done")),
            .tableRemoved(TableRemoved(stream: Sample.stream, tableID: nil)),
            .phaseChanged(
                PhaseChanged(
                    from: .incrSync, to: .incrSync, stream: nil, reason: "it is back",
                    tableID: TableID("of the second"),
                    wanted: .matching("5f"))),
            .tableRemoved(TableRemoved(stream: Sample.stream, tableID: TableID("of the second"))),
        ] as [Payload] {
            _ = try await journal.append([Draft(table: Sample.table, [payload])])
        }
        try await journal.add(3, .queried(), .resolved(.latest, iterator: "an iterator", issued: Sample.noon))
        try await journal.add(1, Payload.takenUp)
        for number in 1...70 { try await journal.add(1, .advanced(3 * number, records: 3, token: "\(number)")) }
        try await journal.add(1, .faulted("ExpiredIteratorException"))
        try await journal.add(1, .refused(211))
        let refusal = try journal.lastPosition()
        try await journal.add(1, .refused(212), .advanced(212))
        try await journal.add(1, .settled(refusal))
        try await journal.add(1, .inStep(InStep(until: Sample.noon)))
        try await journal.add(1, .lost(.skip, from: 212, to: 250))
        try await journal.add(1, .acknowledged())
        try await journal.add(1, .resolved(.trimHorizon), .advanced(300, records: 50))
        try await journal.add(1, .discovered(from: 1, to: 300), .status(.inProcessing, .done))
        try await journal.add(2, Payload.takenUp)
        for number in 301...340 { try await journal.add(2, .advanced(number)) }
        try await importTable(journal)
        // A kind of which no program knows yet; see `makeUnknown`.
        _ = try await journal.append([Draft(run: .runStopped(RunStopped(reason: placeholder)))])
        _ = try await journal.append([Draft(table: TableName("other"), [.faulted("ResourceNotFoundException")])])
    }

    /// Of a table that another program has followed: 5 is read on by what it said, and 6 is done.
    private static func importTable(_ journal: Journal) async throws {
        let origin = Imported.Origin(
            program: "NimoShake", source: "/data/nimo-shake-checkpoint", status: "in processing",
            sequenceNumber: Sample.number(7).text, iteratorType: "AT_SEQUENCE_NUMBER", storedIterator: "an iterator",
            approximateTime: "2026-11-23 11:59:00 +0000 UTC", updated: "2026-11-23T12:59:00Z", worker: "unknown")
        let minute = Sample.noon + .seconds(-60)
        let users = TableName("users")
        _ = try await journal.append([
            Draft(
                shard: ShardKey(table: users, stream: Sample.stream, shard: Sample.shard(5)), expecting: .none,
                [
                    .discovered(from: nil),
                    .imported(
                        Imported(
                            status: .prepared, iteratorType: .afterSequenceNumber, sequenceNumber: Sample.number(7),
                            approximateTime: minute, owedSince: minute, origin: origin)),
                ]),
            Draft(
                shard: ShardKey(table: users, stream: Sample.stream, shard: Sample.shard(6)), expecting: .none,
                [
                    .discovered(from: nil),
                    .imported(
                        Imported(
                            status: .notNeeded, iteratorType: .trimHorizon, sequenceNumber: nil, owedSince: nil,
                            reason: "nothing was left of it",
                            origin: Imported.Origin(program: "NimoShake", source: "/data/nimo-shake-checkpoint"))),
                ]),
            Draft(
                table: users,
                [
                    .phaseChanged(
                        PhaseChanged(from: nil, to: .incrSync, stream: Sample.stream, reason: "it was imported"))
                ]),
        ])
    }

    private static func rewind(_ journal: Journal) async throws {
        try await journal.add(2, .rewound(from: 340, to: 320, inclusive: true, epoch: 1))
        let revisions = try journal.checkpoints().map(\.revision)
        _ = try await journal.append([
            Draft(shard: Sample.key(1), expecting: revisions[0], [.rewound(from: 300, to: nil, epoch: 1)]),
            Draft(shard: Sample.key(2), expecting: revisions[1], [.rewound(from: 320, to: nil, root: 1, epoch: 2)]),
        ])
    }

    /// Three days later its advances are old.
    static func compact(_ path: String) async throws {
        let surroundings = Surroundings(now: { Sample.noon + .seconds(3 * 24 * 3600) })
        let journal = try Journal.open(
            path, .steward(Sample.steward), mapSize: 16 << 20, surroundings: surroundings, isInline: true)
        _ = try await journal.compact()
        await journal.close(reason: "")
    }

    private static func advance(_ segment: UInt32, _ key: [UInt8]?) -> Payload {
        .scanAdvanced(
            ScanAdvanced(
                segment: segment, totalSegments: 2, lastEvaluatedKey: key, items: 10, bytes: 1000,
                targetToken: TargetToken("scan")))
    }

    // MARK: - The kind that nobody knows

    private static let placeholder = "unknown"
    /// Field 1000 of `Event`, holding an empty message.
    static let unknown = Payload.unknown(kind: 1000, encoded: [0xC2, 0x3E, 0x00])

    /// Puts such an event where the placeholder stands, and hashes what comes after it anew.
    static func makeUnknown(_ path: String) throws {
        try Tampering(path: path).write { (transaction, schema) throws(LMDBError) in
            var chain = ChainHash.zero
            var position = Position(1)
            while var value = try transaction.value(for: Schema.key(position), in: schema.log) {
                if let (envelope, payload, _) = WireFormat.decodeEvent(value),
                    payload == .runStopped(RunStopped(reason: placeholder))
                {
                    value = encoded(envelope, .runStopped(RunStopped(reason: "")))
                    value.removeLast(3)  // tag and length of run_stopped
                    value += [0xC2, 0x3E, 0x00]
                }
                (value, chain) = chained(value, after: chain)
                try transaction.put(value, for: Schema.key(position), in: schema.log)
                position = position.next
            }
        }
    }
}
