internal import DynamoDB
internal import Simdjson
package import StreamModel
package import Targets

/// What a sweep and a comparison read.
extension DynamoDBTarget {
    package func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? {
        let place = TableName(names[table.name])
        let page = try await access("listing the keys of \(place)") { () throws(DynamoDBError) in
            try await client.keys(of: table.named(place), after: key?.object(of: table), limit: limit)
        }
        var reader = KeyReader(table)
        var keys: [CanonicalKey] = []
        for change in page.changes {
            do { keys.append(try CanonicalKey(try reader.key(in: change.keys, of: page.body))) } catch {
                throw .unwritable(target: name, what: "a key of the table \(place)", reason: "\(error)")
            }
        }
        return keys
    }

    package func items(
        under keys: [CanonicalKey], of table: TableSchema
    ) async throws(TargetError) -> [[UInt8]?]? {
        let place = TableName(names[table.name])
        var reader = KeyReader(table)
        var found: [CanonicalKey: [UInt8]] = [:]
        var asked: Set<CanonicalKey> = []
        let wanted = keys.filter { asked.insert($0).inserted }
        for start in stride(from: 0, to: wanted.count, by: DynamoDBClient.keysAtOnce) {
            let some = wanted[start..<min(start + DynamoDBClient.keysAtOnce, wanted.count)].map { $0.object(of: table) }
            let pages = try await access("reading items of \(place)") { () throws(DynamoDBError) in
                try await client.items(under: some, of: place, consistent: true)
            }
            for page in pages {
                for change in page.changes {
                    do {
                        found[try CanonicalKey(try reader.key(in: change.keys, of: page.body))] = Array(
                            page.body[change.keys.range])
                    } catch {
                        throw .unwritable(target: name, what: "an item of the table \(place)", reason: "\(error)")
                    }
                }
            }
        }
        return keys.map { found[$0] }
    }

    package nonisolated func kept(_ item: [[UInt8]: AttributeValue]) -> [[UInt8]: AttributeValue] {
        settings.stripsReplication ? item.filter { !ReplicationAttributes.contains($0.key) } : item
    }
}
