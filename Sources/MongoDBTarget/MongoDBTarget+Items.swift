internal import MongoC
package import StreamModel
package import Targets

/// What a sweep and a comparison read.
extension MongoDBTarget {
    package func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? {
        let place = names[table.name]
        let fields = KeyFields(format, of: table)
        let options = Document { writer in
            writer.name("sort")
            writer.document(fields.order)
            writer.name("projection")
            writer.document(fields.projection)
            writer.name("limit")
            writer.int64(Int64(limit))
        }
        let documents = try access("listing the keys of \(place)") { client throws(MongoError) in
            try client.find(fields.page(after: key), in: database, place, options: options)
        }
        var keys: [CanonicalKey] = []
        for document in documents {
            do throws(FormatError) { keys.append(try fields.key(of: document)) } catch {
                throw .unwritable(target: name, what: "the list of the keys of \(place)", reason: "\(error)")
            }
        }
        return keys
    }

    package func items(
        under keys: [CanonicalKey], of table: TableSchema
    ) async throws(TargetError) -> [[UInt8]?]? {
        let place = names[table.name]
        let (fields, reader) = (KeyFields(format, of: table), DocumentReader(format))
        var found: [CanonicalKey: [UInt8]] = [:]
        for start in stride(from: 0, to: keys.count, by: Self.atOnce) {
            let some = Array(keys[start..<min(start + Self.atOnce, keys.count)])
            let documents = try access("reading documents of \(place)") { client throws(MongoError) in
                try client.find(fields.filter(of: some), in: database, place)
            }
            for document in documents {
                do throws(FormatError) { found[try fields.key(of: document)] = try reader.item(of: document) } catch {
                    throw .unwritable(target: name, what: "a document of \(place) back as an item", reason: "\(error)")
                }
            }
        }
        return keys.map { found[$0] }
    }

    package nonisolated func kept(_ item: [[UInt8]: AttributeValue]) -> [[UInt8]: AttributeValue] { format.kept(item) }

    /// Keys of one query, of up to 3 KB each.
    private static let atOnce = 1000
}
