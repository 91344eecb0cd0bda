internal import MongoC
internal import Simdjson
internal import StreamModel
internal import Targets

/// How one table's items are kept in documents.
struct TableLayout {
    let schema: TableSchema
    let format = "typed"

    init(_ schema: TableSchema) { self.schema = schema }

    func change(_ row: Collapse.Row, of batch: Batch) throws -> CollectionWrites.Write.Change {
        let filter = filter(of: row.key)
        guard row.change.kind != .remove, let image = row.change.newImage else { return .delete(filter: filter) }
        let document = Document { writer in
            writer.name("_id")
            writer.document(identifier(row.key))
            writer.name("item")
            writer.string(Array(batch.parts[row.part].body[image.range]))
        }
        return .replace(filter: filter, with: document)
    }

    private func identifier(_ key: CanonicalKey) -> Document {
        Document { writer in
            writer.name("h")
            writer.binary(key.hash)
            if let range = key.range {
                writer.name("r")
                writer.binary(range)
            }
        }
    }

    func filter(of key: CanonicalKey) -> Document {
        Document { writer in
            writer.name("_id")
            writer.document(identifier(key))
        }
    }

    /// Which documents come behind `key`.
    func page(after key: CanonicalKey?) -> Document {
        guard let key else { return Document() }
        return Document { writer in
            writer.name("_id")
            writer.beginDocument()
            writer.name("$gt")
            writer.document(identifier(key))
            writer.end()
        }
    }

    var order: Document {
        Document { writer in
            writer.name("_id")
            writer.int32(1)
        }
    }
    var keyFields: Document { order }

    func filter(of keys: [CanonicalKey]) -> Document {
        Document { writer in
            writer.name("_id")
            writer.beginDocument()
            writer.name("$in")
            writer.beginArray()
            for key in keys { writer.document(identifier(key)) }
            writer.end()
            writer.end()
        }
    }

    func key(of document: Document) -> CanonicalKey? {
        guard let id = document["_id"]?.document, case .binary(let hash, _)? = id["h"] else { return nil }
        var range: [UInt8]?
        if case .binary(let value, _)? = id["r"] { range = value }
        return CanonicalKey(hash: hash, range: range)
    }

    func item(of document: Document) -> [UInt8]? {
        guard case .string(let text)? = document["item"] else { return nil }
        return text
    }
}
