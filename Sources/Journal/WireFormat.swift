internal import JournalWire
internal import LMDB
internal import StreamModel
internal import SwiftProtobuf

/// Between the journal's words and journal.proto. The only file that knows the generated code.
enum WireFormat {
    typealias WireEvent = Shake_Journal_V1_Event

    /// What an envelope holds besides the payload, in the log's own terms: shards by ordinal.
    struct Envelope: Hashable, Sendable {
        var position: Position
        var time: Timestamp
        var run: RunID
        /// 0: the event is about no shard.
        var shard: UInt32
        var revision: Revision
        var previous: Position
        var table: TableName?
    }

    // MARK: - Events

    static func encode(_ envelope: Envelope, _ payload: Payload, naming shard: ShardKey?, onto writer: inout WireWriter)
    {
        if case .sequenceAdvanced(let advanced) = payload, envelope.table == nil {
            return encode(envelope, advanced, onto: &writer)
        }
        var event = wire(payload, naming: shard)
        event.position = envelope.position.number
        event.time = envelope.time.microseconds
        event.run = envelope.run.position.number
        event.shard = UInt64(envelope.shard)
        event.revision = envelope.revision.number
        event.previous = envelope.previous.number
        if let table = envelope.table { event.table = table.text }
        writer.append(bytes(event).span)
    }

    /// By hand: this is the event that journals are full of.
    private static func encode(_ envelope: Envelope, _ advanced: SequenceAdvanced, onto writer: inout WireWriter) {
        writer.number(1, envelope.position.number)
        writer.number(2, envelope.time.microseconds)
        writer.number(3, envelope.run.position.number)
        writer.number(4, UInt64(envelope.shard))
        writer.number(5, envelope.revision.number)
        writer.number(6, envelope.previous.number)
        writer.message(25) { writer in
            writer.number(1, advanced.sequenceNumber)
            writer.number(2, advanced.records)
            writer.number(3, advanced.bytes)
            writer.optional(4, advanced.approximateTime?.microseconds)
            writer.optional(5, advanced.targetToken?.text)
        }
    }

    /// By hand, likewise; `nil` for every other event, and for anything that an older or newer program wrote otherwise.
    ///
    /// - Parameter value: as it lies in the log, its hash first.
    private static func decodeAdvance(_ value: Span<UInt8>) -> (Envelope, SequenceAdvanced)? {
        var reader = WireReader(ChainHash.count..<value.count)
        var envelope = Envelope(
            position: .origin, time: Timestamp(microseconds: 0), run: RunID(.origin), shard: 0, revision: .none,
            previous: .origin, table: nil)
        var advanced: SequenceAdvanced?
        while !reader.isAtEnd {
            switch reader.field(of: value) {
            case (1, .number(let number))?: envelope.position = Position(number)
            case (2, .number(let number))?: envelope.time = Timestamp(microseconds: Int64(bitPattern: number))
            case (3, .number(let number))?: envelope.run = RunID(Position(number))
            case (4, .number(let number))?:
                guard let ordinal = UInt32(exactly: number) else { return nil }
                envelope.shard = ordinal
            case (5, .number(let number))?: envelope.revision = Revision(number)
            case (6, .number(let number))?: envelope.previous = Position(number)
            case (25, .bytes(let range))?:
                advanced = decodeAdvance(value, range)
                if advanced == nil { return nil }
            default: return nil
            }
        }
        guard let advanced, envelope.position > .origin else { return nil }
        return (envelope, advanced)
    }

    private static func decodeAdvance(_ value: Span<UInt8>, _ range: Range<Int>) -> SequenceAdvanced? {
        var reader = WireReader(range)
        var number: SequenceNumber?
        var (records, bytes): (UInt64, UInt64) = (0, 0)
        var time: Timestamp?
        var token: TargetToken?
        while !reader.isAtEnd {
            switch reader.field(of: value) {
            case (1, .bytes(let range))?: number = SequenceNumber(value.extracting(range))
            case (2, .number(let count))?: records = count
            case (3, .number(let count))?: bytes = count
            case (4, .number(let microseconds))?: time = Timestamp(microseconds: Int64(bitPattern: microseconds))
            case (5, .bytes(let range))?:
                guard let text = String(validating: [UInt8](value.extracting(range)), as: UTF8.self) else { return nil }
                token = TargetToken(text)
            default: return nil
            }
        }
        guard let number else { return nil }
        return SequenceAdvanced(
            sequenceNumber: number, records: records, bytes: bytes, approximateTime: time, targetToken: token)
    }

    /// `nil` where the value, its hash first, holds no event.
    ///
    /// - Returns: the shard's full name as well, where the event gives it (a discovery).
    static func decodeEvent(_ value: [UInt8]) -> (envelope: Envelope, payload: Payload, naming: ShardKey?)? {
        decodeEvent(value.span)
    }

    /// The same, in place.
    static func decodeEvent(_ value: Span<UInt8>) -> (envelope: Envelope, payload: Payload, naming: ShardKey?)? {
        guard value.count > ChainHash.count else { return nil }
        if let (envelope, advanced) = decodeAdvance(value) { return (envelope, .sequenceAdvanced(advanced), nil) }
        guard let event = try? WireEvent(serializedBytes: [UInt8](value.extracting(droppingFirst: ChainHash.count))),
            event.position > 0, event.shard <= UInt64(UInt32.max),
            let (payload, naming) = payload(of: event)
        else { return nil }
        let envelope = Envelope(
            position: Position(event.position), time: Timestamp(microseconds: event.time),
            run: RunID(Position(event.run)), shard: UInt32(event.shard), revision: Revision(event.revision),
            previous: Position(event.previous), table: event.table.isEmpty ? nil : TableName(event.table))
        return (envelope, payload, naming)
    }

    private static func wire(_ payload: Payload, naming shard: ShardKey?) -> WireEvent {
        var event = WireEvent()
        switch payload {
        case .runStarted(let p):
            event.runStarted = .with {
                $0.role = p.role
                $0.version = p.version
                $0.host = p.host
                $0.pid = p.pid
                $0.region = p.region
                $0.endpoint = p.endpoint
                $0.target = p.target
            }
        case .runStopped(let p):
            event.runStopped = .with { $0.reason = p.reason }
        case .phaseChanged(let p):
            event.phaseChanged = .with {
                $0.from = wire(p.from)
                $0.to = wire(p.to)
                $0.stream = p.stream?.text ?? ""
                $0.reason = p.reason
            }
        case .scanAdvanced(let p):
            event.scanAdvanced = .with {
                $0.segment = p.segment
                $0.totalSegments = p.totalSegments
                if let key = p.lastEvaluatedKey { $0.lastEvaluatedKey = String(decoding: key, as: UTF8.self) }
                $0.items = p.items
                $0.bytes = p.bytes
                if let token = p.targetToken { $0.targetToken = token.text }
            }
        case .scanFinished(let p):
            event.scanFinished = .with { $0.items = p.items }
        case .shardDiscovered(let p):
            event.shardDiscovered = .with {
                if let shard {
                    $0.table = shard.table.text
                    $0.stream = shard.stream.text
                    $0.shard = shard.shard.text
                }
                $0.parent = p.parent?.text ?? ""
                $0.startingSequenceNumber = text(p.range.starting)
                $0.endingSequenceNumber = text(p.range.ending)
                $0.start = wire(p.start)
            }
        case .queried(let p):
            event.queried = .with {
                $0.revision = p.revision.number
                $0.status = wire(p.status)
                $0.iteratorType = wire(p.iteratorType)
                $0.sequenceNumber = text(p.sequenceNumber)
                $0.worker = p.worker
            }
        case .iteratorResolved(let p):
            event.iteratorResolved = .with {
                $0.rule = p.rule
                $0.iteratorType = wire(p.iteratorType)
                $0.sequenceNumber = text(p.sequenceNumber)
                $0.iterator = p.iterator?.token ?? ""
                if let issued = p.issued { $0.issued = issued.microseconds }
            }
        case .statusChanged(let p):
            event.statusChanged = .with {
                $0.from = wire(p.from)
                $0.to = wire(p.to)
                $0.reason = p.reason
            }
        case .sequenceAdvanced(let p):
            var advanced = Shake_Journal_V1_SequenceAdvanced()
            advanced.sequenceNumber = p.sequenceNumber.text
            advanced.records = p.records
            advanced.bytes = p.bytes
            if let time = p.approximateTime { advanced.approximateTime = time.microseconds }
            if let token = p.targetToken { advanced.targetToken = token.text }
            event.payload = .sequenceAdvanced(advanced)
        case .faulted(let p):
            event.faulted = .with {
                $0.code = p.code
                $0.message = p.message
                $0.isRetried = p.isRetried
            }
        case .rewound(let p):
            event.rewound = .with {
                $0.from = text(p.from)
                $0.to = text(p.to)
                $0.inclusive = p.inclusive
                $0.reason = p.reason
                $0.author = p.author
                $0.cascadeRoot = p.cascadeRoot?.text ?? ""
                $0.epoch = p.epoch.number
            }
        case .unknown:
            preconditionFailure("an event of a kind that this program doesn't know is read, never written")
        }
        return event
    }

    private static func payload(of event: WireEvent) -> (Payload, ShardKey?)? {
        guard let payload = event.payload else {
            // A newer program's kind: its bytes are all that is left of the envelope's unknown fields.
            let encoded = [UInt8](event.unknownFields.data)
            guard let kind = fieldNumber(encoded) else { return nil }
            return (.unknown(kind: kind, encoded: encoded), nil)
        }
        switch payload {
        case .runStarted(let p):
            return (
                .runStarted(
                    RunStarted(
                        role: p.role, version: p.version, host: p.host, pid: p.pid, region: p.region,
                        endpoint: p.endpoint, target: p.target)), nil
            )
        case .runStopped(let p): return (.runStopped(RunStopped(reason: p.reason)), nil)
        case .phaseChanged(let p):
            guard let to = phase(p.to) else { return nil }
            return (
                .phaseChanged(
                    PhaseChanged(
                        from: phase(p.from), to: to, stream: p.stream.isEmpty ? nil : StreamARN(p.stream),
                        reason: p.reason)), nil
            )
        case .scanAdvanced(let p):
            return (
                .scanAdvanced(
                    ScanAdvanced(
                        segment: p.segment, totalSegments: p.totalSegments,
                        lastEvaluatedKey: p.hasLastEvaluatedKey ? Array(p.lastEvaluatedKey.utf8) : nil, items: p.items,
                        bytes: p.bytes, targetToken: p.hasTargetToken ? TargetToken(p.targetToken) : nil)), nil
            )
        case .scanFinished(let p): return (.scanFinished(ScanFinished(items: p.items)), nil)
        case .shardDiscovered(let p):
            guard let start = iteratorType(p.start) else { return nil }
            let discovered = ShardDiscovered(
                parent: p.parent.isEmpty ? nil : ShardID(p.parent),
                range: SequenceRange(
                    starting: number(p.startingSequenceNumber), ending: number(p.endingSequenceNumber)), start: start)
            let name = ShardKey(table: TableName(p.table), stream: StreamARN(p.stream), shard: ShardID(p.shard))
            return (.shardDiscovered(discovered), name)
        case .queried(let p):
            guard let status = status(p.status), let type = iteratorType(p.iteratorType) else { return nil }
            return (
                .queried(
                    Queried(
                        revision: Revision(p.revision), status: status, iteratorType: type,
                        sequenceNumber: number(p.sequenceNumber), worker: p.worker)), nil
            )
        case .iteratorResolved(let p):
            guard let type = iteratorType(p.iteratorType) else { return nil }
            return (
                .iteratorResolved(
                    IteratorResolved(
                        rule: p.rule, iteratorType: type, sequenceNumber: number(p.sequenceNumber),
                        iterator: p.iterator.isEmpty ? nil : ShardIterator(p.iterator),
                        issued: p.hasIssued ? Timestamp(microseconds: p.issued) : nil)), nil
            )
        case .statusChanged(let p):
            guard let from = status(p.from), let to = status(p.to) else { return nil }
            return (.statusChanged(StatusChanged(from: from, to: to, reason: p.reason)), nil)
        case .sequenceAdvanced(let p):
            guard let sequenceNumber = number(p.sequenceNumber) else { return nil }
            return (
                .sequenceAdvanced(
                    SequenceAdvanced(
                        sequenceNumber: sequenceNumber, records: p.records, bytes: p.bytes,
                        approximateTime: p.hasApproximateTime ? Timestamp(microseconds: p.approximateTime) : nil,
                        targetToken: p.hasTargetToken ? TargetToken(p.targetToken) : nil)), nil
            )
        case .faulted(let p):
            return (.faulted(Faulted(code: p.code, message: p.message, isRetried: p.isRetried)), nil)
        case .rewound(let p):
            return (
                .rewound(
                    Rewound(
                        from: number(p.from), to: number(p.to), inclusive: p.inclusive, reason: p.reason,
                        author: p.author, cascadeRoot: p.cascadeRoot.isEmpty ? nil : ShardID(p.cascadeRoot),
                        epoch: Epoch(p.epoch))), nil
            )
        }
    }

    /// The number of the first field in `encoded` that an event's payload can have.
    private static func fieldNumber(_ encoded: [UInt8]) -> UInt32? {
        var tag: UInt64 = 0
        for (index, byte) in encoded.prefix(5).enumerated() {
            tag |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte < 0x80 { return tag >> 3 >= 16 ? UInt32(truncatingIfNeeded: tag >> 3) : nil }
        }
        return nil
    }

    // MARK: - What is kept beside the log

    static func encode(_ shard: ShardKey, onto writer: inout WireWriter) {
        writer.text(1, shard.table.text)
        writer.text(2, shard.stream.text)
        writer.text(3, shard.shard.text)
    }

    static func decodeShard(_ bytes: [UInt8]) -> ShardKey? {
        guard let name = try? Shake_Journal_V1_ShardName(serializedBytes: bytes), !name.shard.isEmpty else {
            return nil
        }
        return ShardKey(table: TableName(name.table), stream: StreamARN(name.stream), shard: ShardID(name.shard))
    }

    /// By hand: every transaction encodes one of each shard that it touches.
    static func encode(_ checkpoint: Checkpoint, onto writer: inout WireWriter) {
        writer.text(1, checkpoint.parent?.text ?? "")
        writer.number(2, checkpoint.range.starting)
        writer.number(3, checkpoint.range.ending)
        writer.number(4, UInt64(wire(checkpoint.status).rawValue))
        writer.number(5, UInt64(wire(checkpoint.iteratorType).rawValue))
        writer.number(6, checkpoint.sequenceNumber)
        switch checkpoint.storedIterator {
        case .seeSequenceNumber: writer.flag(7, true)
        case .iterator(let iterator, let obtained):
            writer.text(8, iterator.token)
            writer.number(9, obtained.microseconds)
        case nil: break
        }
        writer.optional(10, checkpoint.worker)
        writer.optional(11, checkpoint.approximateTime?.microseconds)
        writer.number(12, checkpoint.epoch.number)
        writer.number(13, checkpoint.revision.number)
        writer.number(14, checkpoint.position.number)
        writer.number(15, checkpoint.updated.microseconds)
        writer.number(16, checkpoint.records)
        writer.number(17, checkpoint.bytes)
        writer.optional(18, checkpoint.targetToken?.text)
        if let fault = checkpoint.lastFault {
            writer.message(19) { writer in
                writer.text(1, fault.code)
                writer.text(2, fault.message)
                writer.number(3, fault.time.microseconds)
                writer.flag(4, fault.isRetried)
            }
        }
    }

    static func decodeCheckpoint(_ bytes: [UInt8], of shard: ShardKey) -> Checkpoint? {
        guard let state = try? Shake_Journal_V1_CheckpointState(serializedBytes: bytes),
            let status = status(state.status), let type = iteratorType(state.iteratorType)
        else { return nil }
        let discovered = ShardDiscovered(
            parent: state.parent.isEmpty ? nil : ShardID(state.parent),
            range: SequenceRange(
                starting: number(state.startingSequenceNumber), ending: number(state.endingSequenceNumber)),
            start: type)
        var checkpoint = Checkpoint(
            shard: shard, discovered: discovered, position: Position(state.position),
            time: Timestamp(microseconds: state.updated))
        checkpoint.status = status
        checkpoint.sequenceNumber = number(state.sequenceNumber)
        if state.seeSequenceNumber {
            checkpoint.storedIterator = .seeSequenceNumber
        } else if !state.storedIterator.isEmpty {
            checkpoint.storedIterator = .iterator(
                ShardIterator(state.storedIterator), obtained: Timestamp(microseconds: state.storedIteratorObtained))
        }
        if state.hasWorker { checkpoint.worker = state.worker }
        if state.hasApproximateTime { checkpoint.approximateTime = Timestamp(microseconds: state.approximateTime) }
        checkpoint.epoch = Epoch(state.epoch)
        checkpoint.revision = Revision(state.revision)
        checkpoint.records = state.records
        checkpoint.bytes = state.bytes
        if state.hasTargetToken { checkpoint.targetToken = TargetToken(state.targetToken) }
        if state.hasLastFault { checkpoint.lastFault = fault(state.lastFault) }
        return checkpoint
    }

    static func encode(_ table: TableState, onto writer: inout WireWriter) {
        let fold = Shake_Journal_V1_TableFold.with {
            $0.stream = table.stream?.text ?? ""
            $0.phase = wire(table.phase)
            $0.reason = table.reason
            $0.segments = table.segments.map { segment in
                .with {
                    $0.segment = segment.segment
                    $0.totalSegments = segment.totalSegments
                    if let key = segment.lastEvaluatedKey { $0.lastEvaluatedKey = String(decoding: key, as: UTF8.self) }
                    $0.isFinished = segment.isFinished
                    $0.items = segment.items
                    $0.bytes = segment.bytes
                }
            }
            $0.fullSync = table.fullSync?.number ?? 0
            $0.scanFinished = table.scanFinished?.number ?? 0
            if let token = table.targetToken { $0.targetToken = token.text }
            if let fault = table.lastFault { $0.lastFault = wire(fault) }
            $0.position = table.position.number
            $0.updated = table.updated.microseconds
        }
        writer.append(bytes(fold).span)
    }

    static func decodeTable(_ bytes: [UInt8], _ name: TableName) -> TableState? {
        guard let fold = try? Shake_Journal_V1_TableFold(serializedBytes: bytes) else { return nil }
        var table = TableState(table: name)
        table.stream = fold.stream.isEmpty ? nil : StreamARN(fold.stream)
        table.phase = phase(fold.phase)
        table.reason = fold.reason
        table.segments = fold.segments.map {
            TableState.Segment(
                segment: $0.segment, totalSegments: $0.totalSegments,
                lastEvaluatedKey: $0.hasLastEvaluatedKey ? Array($0.lastEvaluatedKey.utf8) : nil,
                isFinished: $0.isFinished, items: $0.items, bytes: $0.bytes)
        }
        table.fullSync = fold.fullSync == 0 ? nil : FullSyncID(fold.fullSync)
        table.scanFinished = fold.scanFinished == 0 ? nil : Position(fold.scanFinished)
        if fold.hasTargetToken { table.targetToken = TargetToken(fold.targetToken) }
        if fold.hasLastFault { table.lastFault = fault(fold.lastFault) }
        table.position = Position(fold.position)
        table.updated = Timestamp(microseconds: fold.updated)
        return table
    }

    // MARK: - Small words

    private static func bytes(_ message: some Message) -> [UInt8] {
        guard let bytes: [UInt8] = try? message.serializedBytes() else {
            preconditionFailure(
                "only a missing required field, which proto3 has not, or 2 GiB of content keep a message from encoding")
        }
        return bytes
    }

    private static func text(_ number: SequenceNumber?) -> String { number?.text ?? "" }
    private static func number(_ text: String) -> SequenceNumber? { text.isEmpty ? nil : SequenceNumber(text) }

    private static func wire(_ fault: Checkpoint.Fault) -> Shake_Journal_V1_Fault {
        .with {
            $0.code = fault.code
            $0.message = fault.message
            $0.time = fault.time.microseconds
            $0.isRetried = fault.isRetried
        }
    }

    private static func fault(_ fault: Shake_Journal_V1_Fault) -> Checkpoint.Fault {
        Checkpoint.Fault(
            code: fault.code, message: fault.message, time: Timestamp(microseconds: fault.time),
            isRetried: fault.isRetried)
    }

    private static func wire(_ phase: Phase?) -> Shake_Journal_V1_Phase {
        switch phase {
        case nil: .none
        case .fullSync: .fullSync
        case .incrSync: .incrSync
        }
    }

    private static func phase(_ phase: Shake_Journal_V1_Phase) -> Phase? {
        switch phase {
        case .none, .UNRECOGNIZED: nil
        case .fullSync: .fullSync
        case .incrSync: .incrSync
        }
    }

    private static func wire(_ status: Status) -> Shake_Journal_V1_Status {
        switch status {
        case .notProcessed: .notProcessed
        case .notNeeded: .notNeeded
        case .prepared: .prepared
        case .inProcessing: .inProcessing
        case .waitingForParent: .waitingForParent
        case .done: .done
        }
    }

    private static func status(_ status: Shake_Journal_V1_Status) -> Status? {
        switch status {
        case .notProcessed: .notProcessed
        case .notNeeded: .notNeeded
        case .prepared: .prepared
        case .inProcessing: .inProcessing
        case .waitingForParent: .waitingForParent
        case .done: .done
        case .UNRECOGNIZED: nil
        }
    }

    private static func wire(_ type: IteratorType) -> Shake_Journal_V1_IteratorType {
        switch type {
        case .trimHorizon: .trimHorizon
        case .latest: .latest
        case .atSequenceNumber: .atSequenceNumber
        case .afterSequenceNumber: .afterSequenceNumber
        }
    }

    private static func iteratorType(_ type: Shake_Journal_V1_IteratorType) -> IteratorType? {
        switch type {
        case .trimHorizon: .trimHorizon
        case .latest: .latest
        case .atSequenceNumber: .atSequenceNumber
        case .afterSequenceNumber: .afterSequenceNumber
        case .UNRECOGNIZED: nil
        }
    }
}
