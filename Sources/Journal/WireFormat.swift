internal import JournalWire
internal import LMDB
internal import StreamModel
internal import SwiftProtobuf

/// Between the journal's words and journal.proto. Nobody else knows the generated code.
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
        writer.message(25) { encode(advanced, onto: &$0) }
    }

    static func encode(_ advanced: SequenceAdvanced, onto writer: inout WireWriter) {
        writer.number(1, advanced.sequenceNumber)
        writer.number(2, advanced.records)
        writer.number(3, advanced.bytes)
        writer.optional(4, advanced.approximateTime?.microseconds)
        writer.optional(5, advanced.targetToken?.text)
        if let first = advanced.first { writer.number(6, first) }
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
        var first: SequenceNumber?
        while !reader.isAtEnd {
            switch reader.field(of: value) {
            case (1, .bytes(let range))?: number = SequenceNumber(value.extracting(range))
            case (2, .number(let count))?: records = count
            case (3, .number(let count))?: bytes = count
            case (4, .number(let microseconds))?: time = Timestamp(microseconds: Int64(bitPattern: microseconds))
            case (5, .bytes(let range))?:
                guard let text = String(validating: [UInt8](value.extracting(range)), as: UTF8.self) else { return nil }
                token = TargetToken(text)
            case (6, .bytes(let range))?: first = SequenceNumber(value.extracting(range))
            default: return nil
            }
        }
        guard let number else { return nil }
        return SequenceAdvanced(
            sequenceNumber: number, records: records, bytes: bytes, approximateTime: time, targetToken: token,
            first: first)
    }

    /// `nil` where the value, its hash first, holds no event.
    ///
    /// - Returns: the shard's full name as well, where the event gives it (a discovery).
    static func decodeEvent(_ value: [UInt8]) -> (envelope: Envelope, payload: Payload, naming: ShardKey?)? {
        decodeEvent(value.span)
    }

    /// The same, in place.
    static func decodeEvent(_ value: Span<UInt8>) -> (envelope: Envelope, payload: Payload, naming: ShardKey?)? {
        guard case .event(let envelope, let payload, let naming)? = decodeEntry(value) else { return nil }
        return (envelope, payload, naming)
    }

    /// `nil` where the value, its hash first, is none that a log holds.
    static func decodeEntry(_ value: Span<UInt8>) -> LogEntry? {
        guard value.count > ChainHash.count else { return nil }
        if let (envelope, advanced) = decodeAdvance(value) {
            return .event(envelope, .sequenceAdvanced(advanced), naming: nil)
        }
        guard let event = try? WireEvent(serializedBytes: [UInt8](value.extracting(droppingFirst: ChainHash.count))),
            event.position > 0, event.shard <= UInt64(UInt32.max)
        else { return nil }
        if case .advancesFolded(let folded)? = event.payload {
            return stretch(event, folded, after: ChainHash(value)).map { .folded($0) }
        }
        guard let (payload, naming) = payload(of: event) else { return nil }
        let envelope = Envelope(
            position: Position(event.position), time: Timestamp(microseconds: event.time),
            run: RunID(Position(event.run)), shard: UInt32(event.shard), revision: Revision(event.revision),
            previous: Position(event.previous), table: event.table.isEmpty ? nil : TableName(event.table))
        return .event(envelope, payload, naming: naming)
    }
}
