internal import LibPQ
internal import StreamModel
internal import Targets

/// Rows of one table that one write brings, as the parameters of its two statements.
///
/// A write has several of these where it is large: PostgreSQL takes arrays of a hundred items of 1 KB a third faster than arrays of
/// thousands, and then no slower than COPY into a table beside it (docs/TARGETS.md).
struct TableRows {
    /// Of the items of one upsert.
    private static let enoughBytes = 128 << 10

    private let table: TableSchema
    private var upserted: [BinaryArray]
    private var deleted: [BinaryArray]
    private var items = BinaryArray(of: .jsonb)
    private var numbers = BinaryArray(of: .text)
    private var shards = BinaryArray(of: .text)
    private var epochs = BinaryArray(of: .bigint)
    private var times = BinaryArray(of: .text)

    var hasUpserts: Bool { items.count > 0 }
    var hasDeletes: Bool { deleted[0].count > 0 }
    var isFull: Bool { items.size >= Self.enoughBytes || deleted[0].size >= Self.enoughBytes }

    /// - Parameter bytes: of the items that are to come, about.
    init(_ table: TableSchema, reserving bytes: Int = 0) {
        self.table = table
        upserted = Self.keyArrays(of: table)
        deleted = upserted
        items = BinaryArray(of: .jsonb, reserving: min(bytes, Self.enoughBytes + Self.enoughBytes / 4))
    }

    /// For each column of the key one.
    static func keyArrays(of table: TableSchema) -> [BinaryArray] {
        [table.hash, table.range].compactMap(\.self).map { BinaryArray(of: $0.type == .binary ? .bytea : .text) }
    }

    static func append(_ key: CanonicalKey, of table: TableSchema, to arrays: inout [BinaryArray]) {
        arrays[0].append(column(key.hash, table.hash))
        if let attribute = table.range, let range = key.range { arrays[1].append(column(range, attribute)) }
    }

    private static func column(_ value: [UInt8], _ attribute: KeyAttribute) -> [UInt8] {
        attribute.type == .string ? ItemText.escaped(value) : value
    }

    mutating func append(_ change: Change, _ key: CanonicalKey, in body: [UInt8], of origin: Batch.Origin) {
        guard change.kind != .remove, let image = change.newImage else {
            Self.append(key, of: table, to: &deleted)
            return
        }
        Self.append(key, of: table, to: &upserted)
        let bytes = body[image.range]
        if let escaped = ItemText.escaped(json: bytes) {
            items.append(json: escaped)
        } else {
            items.append(json: bytes)
        }
        if let number = change.sequenceNumber, case .shard(let shard, let epoch, _) = origin {
            numbers.append(number.text.utf8)
            shards.append(shard.shard.text.utf8)
            epochs.append(Int64(bitPattern: epoch.number))
        } else {
            numbers.append(null: ())
            shards.append(null: ())
            epochs.append(null: ())
        }
        if let time = change.approximateTime {
            times.append(time.description.utf8)
        } else {
            times.append(null: ())
        }
    }

    var upsertParameters: [Parameter] {
        (upserted + [items, numbers, shards, epochs, times]).map { .array($0) }
    }
    var deleteParameters: [Parameter] { deleted.map { .array($0) } }
}
