import StreamModel
import Targets

/// Changes as a page of the stream would bring them, written down as JSON.
struct Feed {
    enum Entry {
        case insert(keys: String, new: String)
        case modify(keys: String, old: String?, new: String)
        case remove(keys: String, old: String? = nil)
        /// An INSERT or MODIFY of a stream that has no new images.
        case imageless(Change.Kind, keys: String, old: String? = nil)
        case snapshot(String)
    }

    /// 2026-11-23T16:32:34Z
    static let time = Timestamp(microseconds: 1_795_451_554_000_000)

    /// A batch of one part: the first entry is at sequence number `first`, and each has the next one.
    static func batch(
        _ table: TableSchema, shard: ShardKey? = nil, epoch: Epoch = .first, first: Int = 1, _ entries: [Entry]
    ) -> Batch {
        let shard = shard ?? key(of: table)
        return Batch(
            table: table, origin: .shard(shard, epoch: epoch, upTo: number(first + max(entries.count, 1) - 1)),
            parts: [part(entries, first: first)])
    }

    static func scan(
        _ table: TableSchema, segment: UInt32 = 0, fullSync: UInt64 = 7, upTo: UInt64? = nil, _ items: [String]
    ) -> Batch {
        let position = SegmentPosition(
            fullSync: FullSyncID(fullSync), segment: segment, items: upTo ?? UInt64(items.count))
        return Batch(table: table, origin: .scan(position), parts: [part(items.map(Entry.snapshot), first: 1)])
    }

    static func key(of table: TableSchema, shard: String = "shardId-00000001763900000000-abcdef01") -> ShardKey {
        ShardKey(
            table: table.name,
            stream: StreamARN(
                "arn:aws:dynamodb:eu-west-1:123456789012:table/\(table.name)/stream/2026-11-23T00:00:00.000"),
            shard: ShardID(shard))
    }

    /// 25 digits: no machine integer holds it.
    static func number(_ number: Int) -> SequenceNumber {
        let digits = String(number)
        let text = "1" + String(repeating: "0", count: 24 - digits.count) + digits
        guard let number = SequenceNumber(text) else { preconditionFailure("\(text) has 25 digits") }
        return number
    }

    static func part(_ entries: [Entry], first: Int) -> Batch.Part {
        var body: [UInt8] = Array("{\"Records\":[".utf8)
        var changes: [Change] = []
        func place(_ json: String) -> ByteRange {
            defer { body += Array(json.utf8) + Array(", ".utf8) }
            return ByteRange(offset: UInt32(body.count), count: UInt32(json.utf8.count))
        }
        for (index, entry) in entries.enumerated() {
            let sequenceNumber = number(first + index)
            func change(_ kind: Change.Kind, _ keys: String, new: String?, old: String?) -> Change {
                Change(
                    kind: kind, sequenceNumber: sequenceNumber, approximateTime: time, keys: place(keys),
                    newImage: new.map(place), oldImage: old.map(place))
            }
            switch entry {
            case .insert(let keys, let new): changes.append(change(.insert, keys, new: new, old: nil))
            case .modify(let keys, let old, let new): changes.append(change(.modify, keys, new: new, old: old))
            case .remove(let keys, let old): changes.append(change(.remove, keys, new: nil, old: old))
            case .imageless(let kind, let keys, let old): changes.append(change(kind, keys, new: nil, old: old))
            case .snapshot(let item): changes.append(snapshot(place(item)))
            }
        }
        body.reserveCapacity(body.count + 64)
        return Batch.Part(body: body, changes: changes)
    }

    private static func snapshot(_ item: ByteRange) -> Change {
        Change(kind: .snapshot, sequenceNumber: nil, approximateTime: nil, keys: item, newImage: item, oldImage: nil)
    }
}

extension TableSchema {
    init(_ name: String, _ hash: (String, ScalarType), _ range: (String, ScalarType)? = nil) {
        self.init(
            name: TableName(name), hash: KeyAttribute(name: Array(hash.0.utf8), type: hash.1),
            range: range.map { KeyAttribute(name: Array($0.0.utf8), type: $0.1) })
    }

    static let people = TableSchema("people", ("id", .string))
    static let orders = TableSchema("shop.orders-2026", ("customer", .string), ("number", .number))
}
