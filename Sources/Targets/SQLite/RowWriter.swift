internal import GRDB
internal import StreamModel

/// Writes changes of one table within one transaction; what many rows share is bound once.
final class RowWriter {
    private let upsert: RowStatement
    private let delete: RowStatement
    private let hash: RowStatement.Kind
    private let range: RowStatement.Kind?
    private var time: Timestamp??

    init(_ table: TableSchema, in database: Database) throws {
        upsert = try RowStatement(SQLiteSchema.upsert(table), in: database)
        delete = try RowStatement(SQLiteSchema.delete(table), in: database)
        hash = Self.kind(of: table.hash)
        range = table.range.map(Self.kind)
    }

    private var item: Int { range == nil ? 2 : 3 }

    /// Says where the next changes come from; `nil` for a scan. Must be said before the first.
    func begin(_ shard: ShardKey?) throws(DatabaseError) {
        try upsert.bind(shard.map { Array($0.shard.text.utf8) }, as: .text, at: item + 2)
    }

    /// Upserts a change that has a new image, deletes by its key else.
    ///
    /// Rows of a scan are upserted as well: whoever brings them has left out what the stream has changed (`Batch.Origin.scan`).
    func apply(_ change: Change, key: CanonicalKey, in body: [UInt8]) throws(DatabaseError) {
        guard let image = change.newImage, change.kind != .remove else {
            try bind(key, to: delete)
            return try delete.run()
        }
        try bind(key, to: upsert)
        try upsert.bind(change.sequenceNumber?.utf8, as: .text, at: item + 1)
        if time != .some(change.approximateTime) {
            try upsert.bind(change.approximateTime.map { Array($0.description.utf8) }, as: .text, at: item + 3)
            time = .some(change.approximateTime)
        }
        try upsert.run(item: image, of: body, at: item)
    }

    private func bind(_ key: CanonicalKey, to statement: RowStatement) throws(DatabaseError) {
        try statement.bind(key.hash, as: hash, at: 1)
        if let range { try statement.bind(key.range, as: range, at: 2) }
    }

    private static func kind(of key: KeyAttribute) -> RowStatement.Kind {
        switch key.type {
        case .string, .number: .text
        case .binary: .blob
        }
    }
}
