internal import JournalWire
internal import StreamModel
internal import SwiftProtobuf

/// What happened, as journal.proto says it.
extension WireFormat {
    static func wire(_ payload: Payload, naming shard: ShardKey?) -> WireEvent {
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
                $0.tableID = p.tableID?.text ?? ""
                if let wanted = p.wanted { $0.filter = wire(wanted) }
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
        case .rowsSwept(let p):
            event.rowsSwept = .with {
                $0.rows = p.rows
                if let token = p.targetToken { $0.targetToken = token.text }
            }
        case .repaired(let p):
            event.repaired = .with {
                $0.written = p.written
                $0.removed = p.removed
                $0.target = p.target
                $0.author = p.author
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
            if let first = p.first { advanced.firstSequenceNumber = first.text }
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
        case .rangeLost(let p):
            event.rangeLost = wire(p)
        case .lossAcknowledged(let p):
            event.lossAcknowledged = .with {
                $0.author = p.author
                $0.reason = p.reason
                $0.remedy = wire(p.remedy)
            }
        case .recordRefused(let p):
            event.recordRefused = .with {
                $0.sequenceNumber = text(p.sequenceNumber)
                $0.code = p.code
                $0.cause = p.cause
                $0.bytes = p.bytes
                $0.offset = p.offset
            }
        case .refusalSettled(let p):
            event.refusalSettled = .with {
                $0.refusal = p.refusal.number
                $0.author = p.author
                $0.reason = p.reason
            }
        case .inStep(let p):
            event.inStep = .with { $0.until = p.until.microseconds }
        case .paused(let p):
            event.paused = .with {
                $0.author = p.author
                $0.reason = p.reason
            }
        case .resumed(let p):
            event.resumed = .with {
                $0.author = p.author
                $0.reason = p.reason
            }
        case .tableRemoved(let p):
            event.tableRemoved = .with {
                $0.stream = p.stream?.text ?? ""
                $0.tableID = p.tableID?.text ?? ""
            }
        case .imported(let p): event.imported = wire(p)
        case .advancesFolded, .historyFolded:
            preconditionFailure("events are folded within a stretch of the log, and never appended so")
        case .unknown:
            preconditionFailure("an event of a kind that this program doesn't know is read, never written")
        }
        return event
    }

    static func advance(_ p: Shake_Journal_V1_SequenceAdvanced) -> SequenceAdvanced? {
        guard let sequenceNumber = number(p.sequenceNumber) else { return nil }
        return SequenceAdvanced(
            sequenceNumber: sequenceNumber, records: p.records, bytes: p.bytes,
            approximateTime: p.hasApproximateTime ? Timestamp(microseconds: p.approximateTime) : nil,
            targetToken: p.hasTargetToken ? TargetToken(p.targetToken) : nil, first: number(p.firstSequenceNumber))
    }

    static func payload(of event: WireEvent) -> (Payload, ShardKey?)? {
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
                        reason: p.reason, tableID: tableID(p.tableID),
                        wanted: p.hasFilter ? wanted(p.filter) : nil)), nil
            )
        case .scanAdvanced(let p):
            return (
                .scanAdvanced(
                    ScanAdvanced(
                        segment: p.segment, totalSegments: p.totalSegments,
                        lastEvaluatedKey: p.hasLastEvaluatedKey ? Array(p.lastEvaluatedKey.utf8) : nil, items: p.items,
                        bytes: p.bytes, targetToken: p.hasTargetToken ? TargetToken(p.targetToken) : nil)), nil
            )
        case .rowsSwept(let p):
            let token = p.hasTargetToken ? TargetToken(p.targetToken) : nil
            return (.rowsSwept(RowsSwept(rows: p.rows, targetToken: token)), nil)
        case .repaired(let p):
            return (
                .repaired(Repaired(written: p.written, removed: p.removed, target: p.target, author: p.author)), nil
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
            return advance(p).map { (.sequenceAdvanced($0), nil) }
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
        case .rangeLost(let p):
            guard let lost = rangeLost(p) else { return nil }
            return (.rangeLost(lost), nil)
        case .lossAcknowledged(let p):
            return (
                .lossAcknowledged(
                    LossAcknowledged(author: p.author, reason: p.reason, remedy: policy(p.remedy))), nil
            )
        case .recordRefused(let p):
            return (
                .recordRefused(
                    RecordRefused(
                        sequenceNumber: number(p.sequenceNumber), code: p.code, cause: p.cause, offset: p.offset,
                        bytes: p.bytes)), nil
            )
        case .refusalSettled(let p):
            return (
                .refusalSettled(
                    RefusalSettled(refusal: Position(p.refusal), author: p.author, reason: p.reason)), nil
            )
        case .advancesFolded: return nil  // it is no event: `decodeEntry` reads it
        case .inStep(let p): return (.inStep(InStep(until: Timestamp(microseconds: p.until))), nil)
        case .paused(let p): return (.paused(Paused(author: p.author, reason: p.reason)), nil)
        case .resumed(let p): return (.resumed(Resumed(author: p.author, reason: p.reason)), nil)
        case .tableRemoved(let p):
            let stream = p.stream.isEmpty ? nil : StreamARN(p.stream)
            return (.tableRemoved(TableRemoved(stream: stream, tableID: tableID(p.tableID))), nil)
        case .imported(let p): return imported(p).map { (.imported($0), nil) }
        }
    }

    /// The number of the first field in `encoded` that an event's payload can have.
    static func fieldNumber(_ encoded: [UInt8]) -> UInt32? {
        var tag: UInt64 = 0
        for (index, byte) in encoded.prefix(5).enumerated() {
            tag |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte < 0x80 { return tag >> 3 >= 16 ? UInt32(truncatingIfNeeded: tag >> 3) : nil }
        }
        return nil
    }
}
