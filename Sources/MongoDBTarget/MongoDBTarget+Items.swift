internal import MongoC
package import StreamModel
package import Targets

/// What a sweep and a comparison read.
extension MongoDBTarget {
    package func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? {
        let place = names[table.name]
        let layout = TableLayout(table)
        let options = Document { writer in
            writer.name("sort")
            writer.document(layout.order)
            writer.name("projection")
            writer.document(layout.keyFields)
            writer.name("limit")
            writer.int64(Int64(limit))
        }
        return try access("listing the keys of \(place)") { client throws(MongoError) in
            try client.find(layout.page(after: key), in: database, place, options: options).compactMap { layout.key(of: $0) }
        }
    }

    package func items(
        under keys: [CanonicalKey], of table: TableSchema
    ) async throws(TargetError) -> [[UInt8]?]? {
        let place = names[table.name]
        let layout = TableLayout(table)
        var found: [CanonicalKey: [UInt8]] = [:]
        for start in stride(from: 0, to: keys.count, by: Self.atOnce) {
            let some = Array(keys[start..<min(start + Self.atOnce, keys.count)])
            let documents = try access("reading documents of \(place)") { client throws(MongoError) in
                try client.find(layout.filter(of: some), in: database, place)
            }
            for document in documents {
                guard let key = layout.key(of: document) else { continue }
                found[key] = layout.item(of: document)
            }
        }
        return keys.map { found[$0] }
    }

    /// Keys of one query, of up to 3 KB each.
    private static let atOnce = 1000
}
