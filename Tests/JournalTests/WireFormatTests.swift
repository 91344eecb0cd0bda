import StreamModel
import TestSupport
import Testing

@testable import Journal

/// The bytes of format 1, as `protoc --encode` makes them from journal.proto. They are in journals that exist: a change that breaks these tests needs a new format.
@Suite("The bytes of events")
struct WireFormatTests {
    private static let envelope = WireFormat.Envelope(
        position: Position(300), time: Timestamp(microseconds: 1_700_000_000_000_000), run: RunID(Position(1)),
        shard: 2,
        revision: Revision(9), previous: Position(200), table: nil)

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static let goldenEnvelope = "08ac02108080f9c0c1c4820318012002280930c801"

    private static let golden: [(Payload, String)] = [
        (.runStarted(Sample.steward), "8201150a06726577696e641203302e311a04686572652008"),
        (.runStopped(RunStopped(reason: "sigterm")), "8a01090a077369677465726d"),
        (
            .phaseChanged(PhaseChanged(from: .fullSync, to: .incrSync, stream: StreamARN("arn"), reason: "scanned")),
            "920112080110021a0361726e22077363616e6e6564"
        ),
        (
            .scanAdvanced(
                ScanAdvanced(
                    segment: 1, totalSegments: 8, lastEvaluatedKey: Array(#"{"a":{"N":"1"}}"#.utf8), items: 3, bytes: 4,
                    targetToken: TargetToken("5"))), "9a011c080110081a0f7b2261223a7b224e223a2231227d7d20032804320135"
        ),
        (.rowsSwept(RowsSwept(rows: 3, targetToken: TargetToken("5"))), "aa02050803120135"),
        (
            .repaired(Repaired(written: 3, removed: 4, target: "t", author: "a")), "b2020a080310041a017422" + "0161"
        ),
        (.scanFinished(ScanFinished(items: 3)), "a201020803"),
        (
            .discovered(parent: 4, from: 1, to: 2, start: .latest),
            "aa01b2010a066f7264657273125661726e3a6177733a64796e616d6f64623a65752d63656e7472616c2d313a"
                + "3132333435363738393031323a7461626c652f6f72646572732f73747265616d2f323032362d31312d323354"
                + "30303a30303a30302e3030301a0d736861726449642d3030303032220d736861726449642d30303030342a17"
                + "3130303030303030303030303030303030303031303031321731303030303030303030303030303030303030"
                + "313030323801"
        ),
        (.queried(), "b2010c080110022a06686572653a37"),
        (.resolved(.latest), "ba01140a06612072756c65100122086974657261746f72"),
        (
            .resolved(.latest, issued: Timestamp(microseconds: 300)),
            "ba01170a06612072756c65100122086974657261746f7228ac02"
        ),
        (.status(.notProcessed, .inProcessing), "c2010b10031a0762656361757365"),
        (
            .advanced(7, records: 3, token: "12"),
            "ca012b0a173130303030303030303030303030303030303031303037100318ac022080e0c0aa859e98032a02"
                + "3132"
        ),
        (.faulted(), "d201180a095468726f74746c65641209736c6f7720646f776e1801"),
        (
            .rewound(from: 9, to: 3, inclusive: true, root: 1, epoch: 2),
            "da01570a17313030303030303030303030303030303030303130303912173130303030303030303030303030"
                + "30303030303130303318012207626563617573652a076d654068657265320d736861726449642d3030303031"
                + "3802"
        ),
        (
            .rangeLost(
                RangeLost(
                    cause: .trimmed, from: SequenceNumber("7"), to: SequenceNumber("9"),
                    since: Timestamp(microseconds: 300), policy: .skip, detail: "gone")),
            "e2011308011201371a013920ac0228023204676f6e65"
        ),
        (
            .rangeLost(RangeLost(cause: .streamReplaced, from: nil, to: nil, since: nil, policy: .stop, detail: "")),
            "e2010408042801"
        ),
        (.acknowledged(.resync), "ea01140a076d6540686572651207626563617573651803"),
        (
            .recordRefused(
                RecordRefused(
                    sequenceNumber: SequenceNumber("7"), code: "TargetUnwritable", cause: "no", offset: 5, bytes: 300)),
            "f2011e0a01371210546172676574556e7772697461626c651a026e6f20ac022805"
        ),
        (.settled(Position(300)), "82021508ac0212076d6540686572651a0762656361757365"),
        (.inStep(InStep(until: Timestamp(microseconds: 300))), "8a020308ac02"),
        (.paused(), "9202120a076d654068657265120762656361757365"),
        (.resumed(), "9a02120a076d654068657265120762656361757365"),
        (.tableRemoved(TableRemoved(stream: StreamARN("arn"), tableID: TableID("id"))), "a202090a0361726e12026964"),
        (
            .imported(),
            "ba0249080210031a1731303030303030303030303030303030303030313030372080e0c0aa859e98032880e0"
                + "c0aa859e98033a180a07616e6f746865721204686572651a07617420776f726b"
        ),
        (
            .phaseChanged(
                PhaseChanged(
                    from: nil, to: .incrSync, stream: nil, reason: "", tableID: TableID("id"), wanted: .matching("5f"))),
            "92010a10022a0269643202" + "3566"
        ),
        (
            .phaseChanged(PhaseChanged(from: nil, to: .incrSync, stream: nil, reason: "", wanted: .all)),
            "9201041002" + "3200"
        ),
    ]

    @Test("An event's bytes are these, and read back as the event", arguments: golden.indices)
    func bytes(index: Int) throws {
        let (payload, hex) = Self.golden[index]
        let naming: ShardKey? = if case .shardDiscovered = payload { Sample.key(2) } else { nil }
        let bytes = encoded(Self.envelope, payload, naming: naming)
        #expect(Self.hex(Array(bytes.dropFirst(ChainHash.count))) == Self.goldenEnvelope + hex, "\(payload.kind)")
        let decoded = try #require(WireFormat.decodeEvent(bytes))
        #expect((decoded.envelope, decoded.payload) == (Self.envelope, payload))
        #expect(decoded.naming == naming)
    }

    @Test("The chain is SHA-256 over the hash before and the bytes, cut to 16 bytes")
    func chain() {
        let room = [UInt8](repeating: 0, count: ChainHash.count)
        let (a, first) = chained(room + Array("a".utf8), after: .zero)
        #expect(Self.hex(a) == "9c6bd5cc05acbe7cb4ab71165168ff3d" + "61")
        let (b, second) = chained(room + Array("b".utf8), after: first)
        #expect(Self.hex(b) == "d7aab7914aa2ff55edd6d0ecec15d736" + "62")
        #expect((ChainHash(a), ChainHash(b)) == (first, second))
        #expect(
            (ChainHash.zero.chained(with: a.span), first.chained(with: b.span)) == (first, second),
            "as a reader checks it")
    }

    @Test("No kind is forgotten: the golden bytes have every payload that a program can write")
    func kinds() {
        #expect(
            Set(Self.golden.map(\.0.kind)) == [
                "run_started", "run_stopped", "phase_changed", "scan_advanced", "rows_swept", "repaired",
                "scan_finished",
                "shard_discovered", "queried",
                "iterator_resolved", "status_changed", "sequence_advanced", "faulted", "rewound",
                "range_lost", "loss_acknowledged", "record_refused", "refusal_settled", "in_step",
                "paused", "resumed", "table_removed", "imported",
            ])
    }

    @Test("A checkpoint reads back as it was, whatever of it is there", arguments: [false, true])
    func checkpoint(isFull: Bool) throws {
        guard
            case .shardDiscovered(let discovered) = Payload.discovered(
                parent: isFull ? 1 : nil, from: isFull ? 1 : nil, to: isFull ? 2 : nil)
        else { return }
        for status in Status.allCases {
            for type in IteratorType.allCases {
                var checkpoint = Checkpoint(
                    shard: Sample.key(2), discovered: discovered, position: Position(9), time: Sample.noon)
                (checkpoint.status, checkpoint.iteratorType) = (status, type)
                if isFull {
                    checkpoint.sequenceNumber = SequenceNumber("0000000000000000000000000000000000000012")
                    checkpoint.storedIterator = .iterator(ShardIterator("i"), obtained: Sample.noon)
                    checkpoint.worker = ""
                    checkpoint.approximateTime = Timestamp(microseconds: 0)
                    checkpoint.epoch = Epoch(.max)
                    checkpoint.revision = Revision(.max)
                    checkpoint.records = .max
                    checkpoint.targetToken = TargetToken("")
                    checkpoint.lastFault = Checkpoint.Fault(code: "", message: "", time: Sample.noon, isRetried: false)
                    checkpoint.loss = Loss(
                        RangeLost(
                            cause: .stoodStill, from: nil, to: SequenceNumber("09"), since: Sample.noon, policy: .stop,
                            detail: "it stood"), time: Sample.noon, position: Position(8), isAcknowledged: true,
                        remedy: .skip)
                    checkpoint.refusals = [
                        RefusedRecord(position: Position(7), sequenceNumber: Sample.number(1), epoch: Epoch(0)),
                        RefusedRecord(position: Position(8), sequenceNumber: Sample.number(2), epoch: Epoch(.max)),
                    ]
                    checkpoint.accountedUntil = Sample.noon
                    checkpoint.lossDeclared = Sample.noon + .seconds(1)
                    checkpoint.importedSince = Sample.noon + .seconds(2)
                    checkpoint.pause = Pause(author: "", reason: "", time: Sample.noon, position: Position(.max))
                }
                // Written by hand, read by the generated code.
                var writer = WireWriter()
                WireFormat.encode(checkpoint, onto: &writer)
                let bytes = writer.written
                let read = try #require(WireFormat.decodeCheckpoint(bytes, of: Sample.key(2)))
                #expect(read == checkpoint)
                #expect(read.sequenceNumber?.text == checkpoint.sequenceNumber?.text, "leading zeros are kept")
            }
        }
    }

    @Test("An advance that is read by hand is what the generated code reads", arguments: Seeds.all)
    func byHand(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let numbers = [0, 1, 127, 128, 16_383, 16_384, UInt64(UInt32.max), UInt64(Int64.max)]
        let pick = { (random: inout SeededGenerator) in numbers.randomElement(using: &random) ?? 0 }
        for _ in 1...300 {
            let envelope = WireFormat.Envelope(
                position: Position(max(1, pick(&random))),
                time: Timestamp(microseconds: Int64(pick(&random)) * (Bool.random(using: &random) ? 1 : -1)),
                run: RunID(Position(pick(&random))), shard: UInt32(truncatingIfNeeded: pick(&random)),
                revision: Revision(pick(&random)), previous: Position(pick(&random)), table: nil)
            let count = Int.random(in: 1...40, using: &random)
            let digits = (1...count).map { _ in UInt8.random(in: 0x30...0x39, using: &random) }
            let token: String? =
                [nil, "", "4711", String(repeating: "ü", count: 100)].randomElement(using: &random) ?? nil
            let payload = Payload.sequenceAdvanced(
                SequenceAdvanced(
                    sequenceNumber: try #require(SequenceNumber(digits)), records: pick(&random), bytes: pick(&random),
                    approximateTime: Bool.random(using: &random)
                        ? nil : Timestamp(microseconds: Int64(pick(&random)) - 5),
                    targetToken: token.map { TargetToken($0) },
                    first: Bool.random(using: &random) ? nil : SequenceNumber(digits.prefix(3).map(\.self))))
            let bytes = encoded(envelope, payload)
            let byHand = try #require(WireFormat.decodeEvent(bytes))
            // A field that nobody knows sends it to the generated code.
            let generated = try #require(WireFormat.decodeEvent(bytes + [0x78, 0x01]))
            #expect((byHand.envelope, byHand.payload) == (envelope, payload), "SHAKE_SEED=\(seed)")
            #expect((generated.envelope, generated.payload) == (envelope, payload), "SHAKE_SEED=\(seed)")
        }
    }

    @Test("Bytes that are no event are none, and never a trap", arguments: Seeds.all)
    func noise(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let whole = encoded(Self.envelope, .advanced(7))
        for _ in 1...2000 {
            var bytes = whole
            for _ in 0...Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = WireFormat.decodeEvent(bytes)
            _ = WireFormat.decodeCheckpoint(bytes, of: Sample.key(1))
            _ = WireFormat.decodeTable(bytes, Sample.table)
            _ = WireFormat.decodeShard(bytes)
        }
        #expect(WireFormat.decodeEvent([]) == nil)
        #expect(WireFormat.decodeEvent([0]) == nil)
    }
}
