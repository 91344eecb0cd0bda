internal import JournalWire
internal import StreamModel
internal import SwiftProtobuf

/// A place that was taken over, as journal.proto says it.
extension WireFormat {
    static func wire(_ imported: Imported) -> Shake_Journal_V1_Imported {
        .with {
            $0.status = wire(imported.status)
            $0.iteratorType = wire(imported.iteratorType)
            $0.sequenceNumber = text(imported.sequenceNumber)
            if let time = imported.approximateTime { $0.approximateTime = time.microseconds }
            if let since = imported.owedSince { $0.owedSince = since.microseconds }
            $0.reason = imported.reason
            $0.origin = .with {
                $0.program = imported.origin.program
                $0.source = imported.origin.source
                $0.status = imported.origin.status
                $0.sequenceNumber = imported.origin.sequenceNumber
                $0.iteratorType = imported.origin.iteratorType
                $0.storedIterator = imported.origin.storedIterator
                $0.approximateTime = imported.origin.approximateTime
                $0.updated = imported.origin.updated
                $0.worker = imported.origin.worker
            }
        }
    }

    /// `nil` where a newer program says what this one doesn't know.
    static func imported(_ p: Shake_Journal_V1_Imported) -> Imported? {
        guard let status = status(p.status), let type = iteratorType(p.iteratorType) else { return nil }
        let origin = Imported.Origin(
            program: p.origin.program, source: p.origin.source, status: p.origin.status,
            sequenceNumber: p.origin.sequenceNumber, iteratorType: p.origin.iteratorType,
            storedIterator: p.origin.storedIterator, approximateTime: p.origin.approximateTime,
            updated: p.origin.updated, worker: p.origin.worker)
        return Imported(
            status: status, iteratorType: type, sequenceNumber: number(p.sequenceNumber),
            approximateTime: p.hasApproximateTime ? Timestamp(microseconds: p.approximateTime) : nil,
            owedSince: p.hasOwedSince ? Timestamp(microseconds: p.owedSince) : nil, reason: p.reason, origin: origin)
    }
}
