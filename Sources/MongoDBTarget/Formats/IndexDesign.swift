internal import MongoC
internal import StreamModel

/// An index that a collection is to have, as a member of `createIndexes`.
struct IndexDesign: Hashable, Sendable {
    let name: String
    let key: Document
    let isUnique: Bool

    /// One element of `createIndexes.indexes`.
    var document: Document {
        Document { writer in
            writer.name("key")
            writer.document(key)
            writer.name("name")
            writer.string(name)
            if isUnique {
                writer.name("unique")
                writer.bool(true)
            }
        }
    }

    /// What a collection can't do without: in NimoShake's formats the unique index on the key's fields, called as MongoDB calls it
    /// where nobody gives a name. So NimoShake's own is found to be there.
    static func ofKey(_ table: TableSchema, _ format: DocumentFormat) -> IndexDesign? {
        guard format.layout.isNimoShakes else { return nil }
        return IndexDesign([table.hash, table.range], named: nil, isUnique: true, format)
    }

    /// The table's secondary indexes. Of several on the same fields one is made, for MongoDB takes no second one; and none on those of
    /// the table's own key, where there is one already.
    static func secondary(
        _ indexes: [SecondaryIndex], of table: TableSchema, _ format: DocumentFormat
    ) -> [IndexDesign] {
        var known = Set([ofKey(table, format)?.key].compactMap(\.self))
        return indexes.compactMap { index in
            let design = IndexDesign(
                [index.hash, index.range], named: format.layout.isNimoShakes ? nil : index.name, isUnique: false, format)
            return known.insert(design.key).inserted ? design : nil
        }
    }

    /// - Parameter name: of the source's index; `nil`: as MongoDB would call it.
    private init(_ attributes: [KeyAttribute?], named name: String?, isUnique: Bool, _ format: DocumentFormat) {
        let paths = attributes.compactMap(\.self).map { attribute in
            Array(KeyFields.steps(to: attribute, format).joined(separator: [UInt8(ascii: ".")]))
        }
        key = Document { writer in
            for path in paths {
                writer.name(path)
                writer.int32(1)
            }
        }
        let made = paths.map { String(decoding: $0, as: UTF8.self) + "_1" }.joined(separator: "_")
        // Each collection has an index of that name already.
        self.name = name.map { $0 == "_id_" ? made : $0 } ?? made
        self.isUnique = isUnique
    }
}
