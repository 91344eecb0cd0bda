internal import GRDB
internal import StreamModel

/// Writes changes of one table within one transaction; what many rows share is bound once.
final class RowWriter {
    private let upsert: RowStatement
    private let delete: RowStatement
    private let hash: RowStatement.Kind
    private let range: RowStatement.Kind?
    private var origin: Batch.Origin?
    private var time: Timestamp??

    init(_ table: TableSchema, upsert: String, delete: String, in database: Database) throws {
        self.upsert = try RowStatement(upsert, in: database)
        self.delete = try RowStatement(delete, in: database)
        hash = Self.kind(of: table.hash)
        range = table.range.map(Self.kind)
    }

    /// Upserts a change that has a new image, deletes by its key else.
    ///
    /// Rows of a scan are upserted as well: nothing of the table's stream is written before its scan has ended
    /// (`Batch.Origin.scan`). Once a scan runs beside the stream (DESIGN 4.4), they take a third statement here, one
    /// that inserts where no change has touched the key.
    func apply(_ change: Change, key: CanonicalKey, of batch: Batch, in body: [UInt8]) throws(DatabaseError) {
        guard let image = change.newImage, change.kind != .remove else {
            _ = try bind(key, to: delete)
            return try delete.run()
        }
        let item = try bind(key, to: upsert)
        try upsert.bind(change.sequenceNumber?.utf8, as: .text, at: item + 1)
        if origin != batch.origin {
            try upsert.bind(batch.shard.map { Array($0.shard.text.utf8) }, as: .text, at: item + 2)
            origin = batch.origin
        }
        if time != .some(change.approximateTime) {
            try upsert.bind(change.approximateTime.map { Array($0.description.utf8) }, as: .text, at: item + 3)
            time = .some(change.approximateTime)
        }
        try upsert.run(item: image, of: body, at: item)
    }

    /// Binds the key's columns, and returns the index after them.
    private func bind(_ key: CanonicalKey, to statement: RowStatement) throws(DatabaseError) -> Int {
        try statement.bind(key.hash, as: hash, at: 1)
        guard let range else { return 2 }
        try statement.bind(key.range, as: range, at: 2)
        return 3
    }

    private static func kind(of key: KeyAttribute) -> RowStatement.Kind {
        switch key.type {
        case .string, .number: .text
        case .binary: .blob
        }
    }
}
