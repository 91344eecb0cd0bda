internal import Simdjson
package import StreamModel
package import Targets

/// What a target holds, whatever happens to the processes that fill it: all that was ever written, in order, and what came
/// of it.
///
/// A value: a backup of it is a copy.
package struct Disk: Sendable {
    /// One key of one table.
    package struct ItemID: Hashable, Sendable {
        package let table: TableName
        package let key: CanonicalKey
    }

    /// The last word on an item.
    package struct Row: Sendable {
        /// The item, as it came; `nil`: it was removed.
        package let image: [UInt8]?
        /// The change that it is from; none where it is from a scan.
        package let change: Origin?
    }

    package struct Origin: Hashable, Sendable {
        package let shard: ShardKey
        package let number: SequenceNumber
    }

    /// One change, as it was written.
    package struct Written: Sendable {
        package let item: ItemID
        package let row: Row
    }

    /// One batch, or as much of it as was written.
    package struct Entry: Sendable {
        package let table: TableName
        package let origin: Batch.Origin
        package let changes: [Written]
        package let isWhole: Bool

        package var shard: ShardKey? { if case .shard(let shard, _, _) = origin { shard } else { nil } }
    }

    package private(set) var log: [Entry] = []
    package private(set) var rows: [ItemID: Row] = [:]
    package private(set) var positions: [ShardKey: ShardPosition] = [:]
    package private(set) var scanPositions: [TableName: [UInt32: SegmentPosition]] = [:]
    /// The numbers of each shard's records that are in it.
    package private(set) var holds: [ShardKey: Set<SequenceNumber>] = [:]
    /// Tables that have a place.
    package var tables: Set<TableName> = []

    package init() {}

    package mutating func write(_ entry: Entry) {
        log.append(entry)
        for written in entry.changes {
            rows[written.item] = written.row
            if let change = written.row.change { holds[change.shard, default: []].insert(change.number) }
        }
        guard entry.isWhole else { return }
        switch entry.origin {
        case .shard(let shard, let epoch, let upTo):
            positions[shard] = ShardPosition(shard: shard, epoch: epoch, sequenceNumber: upTo)
        case .scan(let position):
            scanPositions[entry.table, default: [:]][position.segment] = position
        case .sweep, .repair: break
        }
    }

    /// Keys of the rows that a table has, in order.
    package func keys(of table: TableName, after last: CanonicalKey?, limit: Int) -> [CanonicalKey] {
        let keys = rows.filter { $0.key.table == table && $0.value.image != nil }.map(\.key.key).sorted(
            by: Self.precedes)
        return Array(keys.drop { key in last.map { !Self.precedes($0, key) } ?? false }.prefix(limit))
    }

    private static func precedes(_ one: CanonicalKey, _ other: CanonicalKey) -> Bool {
        one.hash == other.hash
            ? (one.range ?? []).lexicographicallyPrecedes(other.range ?? [])
            : one.hash.lexicographicallyPrecedes(other.hash)
    }

    /// Holds what it held when it had `count` batches.
    package mutating func cut(to count: Int) {
        let kept = log.prefix(count)
        let tables = tables
        self = Disk()
        self.tables = tables
        for entry in kept { write(entry) }
    }
}

extension Disk.Entry {
    /// - Parameter count: how many of its changes are written.
    package init(_ batch: Batch, first count: Int = .max) throws {
        var reader = KeyReader(batch.table)
        var changes: [Disk.Written] = []
        for part in batch.parts {
            for change in part.changes where changes.count < count {
                let key = try CanonicalKey(reader.key(in: change.keys, of: part.body))
                let origin: Disk.Origin? =
                    if case .shard(let shard, _, _) = batch.origin, let number = change.sequenceNumber {
                        Disk.Origin(shard: shard, number: number)
                    } else { nil }
                let place = change.kind == .snapshot ? change.keys : change.newImage
                changes.append(
                    Disk.Written(
                        item: Disk.ItemID(table: batch.table.name, key: key),
                        row: Disk.Row(image: place.map { Array(part.body[$0.range]) }, change: origin)))
            }
        }
        self.init(
            table: batch.table.name, origin: batch.origin, changes: changes, isWhole: changes.count == batch.count)
    }
}

// As the trail of a run shows them.
extension Disk.ItemID: CustomStringConvertible {
    package var description: String {
        "\(table) \(key.text)"
    }
}

extension Disk.Entry: CustomStringConvertible {
    package var description: String {
        let written = changes.map { written in
            let number = written.row.change.map { " by \($0.number)" } ?? ""
            return "\(written.item.key.text)\(written.row.image == nil ? " removed" : "")\(number)"
        }
        return "\(isWhole ? "" : "a part of ")\(origin): \(written.joined(separator: "; "))"
    }
}

extension CanonicalKey {
    fileprivate var text: String {
        "[" + [hash, range].compactMap(\.self).map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ") + "]"
    }
}
