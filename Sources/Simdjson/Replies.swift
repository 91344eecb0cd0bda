internal import CSimdjson
package import StreamModel

/// What a GetRecords reply says, as places within its body.
package struct RecordsReply: Sendable {
    package let changes: [Change]
    /// `nil`: the shard is closed and was read to its end.
    package let next: ShardIterator?
}

/// What a Scan reply says, as places within its body.
package struct ScanReply: Sendable {
    /// Snapshots.
    package let changes: [Change]
    /// `nil`: the segment was read to its end.
    package let lastEvaluatedKey: ByteRange?
    /// Read capacity units; `nil` where the reply doesn't say.
    package let capacityUnits: Double?
}

/// What a BatchGetItem reply of one table says, as places within its body.
package struct FoundReply: Sendable {
    /// In no order; a key that has no item is not among them.
    package let items: [ByteRange]
    /// Keys to be asked for again.
    package let unprocessed: [ByteRange]
    /// Read capacity units; `nil` where the reply doesn't say.
    package let capacityUnits: Double?
}

/// Finds structure in replies. Members may come in any order; unknown ones are skipped. Nothing of an item is copied.
package enum Replies {
    /// - Throws: for a record without sequence number, keys or event name, and for anything that isn't such a reply:
    ///   also `{}`, which would else mean that the shard has ended.
    package static func records(in body: [UInt8]) throws(SimdjsonError) -> RecordsReply {
        try ParserPool.shared.with { parser throws(SimdjsonError) in
            unsafe try parser.with(0..<body.count, of: body) { parser, bytes, count, _ throws(SimdjsonError) in
                var reply = unsafe csj_records()
                let status = unsafe csj_parse_records(parser, bytes, count, &reply)
                if let error = unsafe SimdjsonError(status, bytes: count) { throw error }
                let records = unsafe UnsafeBufferPointer(start: reply.records, count: reply.count)
                let body = unsafe UnsafeBufferPointer(start: bytes, count: count)
                var changes: [Change] = []
                changes.reserveCapacity(records.count)
                for index in records.indices {
                    unsafe changes.append(try Change(records[index], element: index, body: body))
                }
                let next = unsafe reply.next.map {
                    unsafe String(decoding: UnsafeRawBufferPointer(start: $0, count: reply.next_count), as: UTF8.self)
                }
                return RecordsReply(changes: changes, next: next.map { ShardIterator($0) })
            }
        }
    }

    /// - Throws: for an item or a key that is null or empty, and for anything that isn't such a reply.
    package static func found(in body: [UInt8]) throws(SimdjsonError) -> FoundReply {
        try ParserPool.shared.with { parser throws(SimdjsonError) in
            unsafe try parser.with(0..<body.count, of: body) { parser, bytes, count, _ throws(SimdjsonError) in
                var reply = unsafe csj_found()
                let status = unsafe csj_parse_found(parser, bytes, count, &reply)
                if let error = unsafe SimdjsonError(status, bytes: count) { throw error }
                func ranges(_ first: UnsafePointer<csj_range>?, _ count: Int) -> [ByteRange] {
                    unsafe UnsafeBufferPointer(start: first, count: count).compactMap { ByteRange($0) }
                }
                let units = unsafe reply.capacity_units
                return unsafe FoundReply(
                    items: ranges(reply.items, reply.count),
                    unprocessed: ranges(reply.unprocessed, reply.unprocessed_count),
                    capacityUnits: units.isFinite ? units : nil)
            }
        }
    }

    /// - Throws: for an item that is null or empty, and for anything that isn't such a reply.
    package static func scan(in body: [UInt8]) throws(SimdjsonError) -> ScanReply {
        try ParserPool.shared.with { parser throws(SimdjsonError) in
            unsafe try parser.with(0..<body.count, of: body) { parser, bytes, count, _ throws(SimdjsonError) in
                var reply = unsafe csj_items()
                let status = unsafe csj_parse_items(parser, bytes, count, &reply)
                if let error = unsafe SimdjsonError(status, bytes: count) { throw error }
                let items = unsafe UnsafeBufferPointer(start: reply.items, count: reply.count)
                let changes = unsafe items.map { range in
                    let item = ByteRange(offset: range.offset, count: range.count)
                    return Change(
                        kind: .snapshot, sequenceNumber: nil, approximateTime: nil, keys: item, newImage: item,
                        oldImage: nil)
                }
                let units = unsafe reply.capacity_units
                return unsafe ScanReply(
                    changes: changes, lastEvaluatedKey: ByteRange(reply.last_evaluated_key),
                    capacityUnits: units.isFinite ? units : nil)
            }
        }
    }
}

extension ByteRange {
    fileprivate init?(_ range: csj_range) {
        guard range.offset != CSJ_ABSENT else { return nil }
        self.init(offset: range.offset, count: range.count)
    }
}

extension Change {
    fileprivate init(
        _ record: csj_record, element: Int, body: UnsafeBufferPointer<UInt8>
    ) throws(SimdjsonError) {
        let digits =
            Int(record.sequence_number.offset)..<Int(record.sequence_number.offset + record.sequence_number.count)
        let text = unsafe UnsafeBufferPointer(rebasing: body[digits])
        guard let number = unsafe SequenceNumber(text.span) else { throw .badSequenceNumber(element: element) }
        let kind: Kind =
            switch csj_event(UInt32(record.event)) {
            case CSJ_INSERT: .insert
            case CSJ_REMOVE: .remove
            default: .modify  // the parser knows no fourth
            }
        // A year beyond 30,000 is nonsense, and its microseconds might not fit. The time is for lag only: do without.
        let time = abs(record.approximate_time) < 1e12 ? Timestamp(seconds: record.approximate_time) : nil
        self.init(
            kind: kind, sequenceNumber: number, approximateTime: time,
            keys: ByteRange(offset: record.keys.offset, count: record.keys.count),
            newImage: ByteRange(record.new_image), oldImage: ByteRange(record.old_image))
    }
}
