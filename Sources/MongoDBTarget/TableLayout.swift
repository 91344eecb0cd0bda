internal import MongoC
internal import StreamModel
internal import Targets

/// How one table's items are kept in its collection.
///
/// It owns a parser, so it serves one thread at a time.
final class TableLayout {
    private let fields: KeyFields
    private let format: DocumentFormat
    private var maker: DocumentMaker

    init(_ schema: TableSchema, _ format: DocumentFormat) {
        self.format = format
        fields = KeyFields(format, of: schema)
        maker = DocumentMaker(format, of: schema)
    }

    /// What is done for a row.
    ///
    /// - Parameter isGuarded: whether a later change of the same shard stays as it is. A transaction that has the newest generation
    ///   needs no such guard: nothing of its writer's is late.
    func change(
        _ row: Collapse.Row, of batch: Batch, isGuarded: Bool
    ) throws(FormatError) -> CollectionWrites.Write.Change {
        let stamp = format.layout.isNimoShakes ? nil : WriteStamp(row.change, of: batch.origin)
        let filter =
            if isGuarded, let stamp { fields.filter(of: row.key, notAfter: stamp) } else { fields.filter(of: row.key) }
        guard row.change.kind != .remove, let image = row.change.newImage else { return .delete(filter: filter) }
        return .replace(
            filter: filter,
            with: try maker.document(of: image, in: batch.parts[row.part].body, key: row.key, stamp: stamp))
    }
}
