internal import JournalWire
internal import StreamModel
internal import SwiftProtobuf

/// What is kept beside the log.
extension WireFormat {
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
        if let loss = checkpoint.loss { writer.message(20) { $0.append(bytes(wire(loss)).span) } }
        for refusal in checkpoint.refusals {
            writer.message(21) { writer in
                writer.number(1, refusal.position.number)
                writer.number(2, refusal.sequenceNumber)
                writer.number(3, refusal.epoch.number)
            }
        }
        writer.optional(22, checkpoint.accountedUntil?.microseconds)
        writer.optional(23, checkpoint.lossDeclared?.microseconds)
        if let pause = checkpoint.pause { writer.message(24) { $0.append(bytes(wire(pause)).span) } }
        writer.optional(25, checkpoint.importedSince?.microseconds)
    }

    static func decodeCheckpoint(_ bytes: [UInt8], of shard: ShardKey) -> Checkpoint? {
        (try? Shake_Journal_V1_CheckpointState(serializedBytes: bytes)).flatMap { checkpoint($0, of: shard) }
    }

    static func checkpoint(_ state: Shake_Journal_V1_CheckpointState, of shard: ShardKey) -> Checkpoint? {
        guard let status = status(state.status), let type = iteratorType(state.iteratorType) else { return nil }
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
        if state.hasLoss {
            guard let loss = loss(state.loss) else { return nil }
            checkpoint.loss = loss
        }
        for refusal in state.refusals {
            guard let number = number(refusal.sequenceNumber) else { return nil }
            checkpoint.refusals.append(
                RefusedRecord(
                    position: Position(refusal.position), sequenceNumber: number, epoch: Epoch(refusal.epoch)))
        }
        if state.hasLossDeclared { checkpoint.lossDeclared = Timestamp(microseconds: state.lossDeclared) }
        if state.hasPause { checkpoint.pause = pause(state.pause) }
        if state.hasImportedSince { checkpoint.importedSince = Timestamp(microseconds: state.importedSince) }
        if state.hasAccountedUntil { checkpoint.accountedUntil = Timestamp(microseconds: state.accountedUntil) }
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
            $0.scanBegan = table.scanBegan?.number ?? 0
            if let token = table.targetToken { $0.targetToken = token.text }
            if let fault = table.lastFault { $0.lastFault = wire(fault) }
            if let loss = table.loss { $0.loss = wire(loss) }
            $0.refusals = table.refusals.map(\.number)
            if let pause = table.pause { $0.pause = wire(pause) }
            $0.tableID = table.id?.text ?? ""
            if let wanted = table.wanted { $0.filter = wire(wanted) }
            $0.hasBeenFollowed_p = table.hasBeenFollowed
            if let removed = table.removed { $0.removed = removed.microseconds }
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
        table.scanBegan = fold.scanBegan == 0 ? nil : Position(fold.scanBegan)
        if fold.hasTargetToken { table.targetToken = TargetToken(fold.targetToken) }
        if fold.hasLastFault { table.lastFault = fault(fold.lastFault) }
        if fold.hasLoss {
            guard let loss = loss(fold.loss) else { return nil }
            table.loss = loss
        }
        table.refusals = fold.refusals.map { Position($0) }
        if fold.hasPause { table.pause = pause(fold.pause) }
        table.id = tableID(fold.tableID)
        if fold.hasFilter { table.wanted = wanted(fold.filter) }
        table.hasBeenFollowed = fold.hasBeenFollowed_p
        if fold.hasRemoved { table.removed = Timestamp(microseconds: fold.removed) }
        table.position = Position(fold.position)
        table.updated = Timestamp(microseconds: fold.updated)
        return table
    }
}
