internal import Simdjson
package import StreamModel

/// Items by their keys.
extension DynamoDBClient {
    /// As BatchGetItem takes them in one call.
    package static let keysAtOnce = 100

    /// The items under `keys`, over as many pages as it takes, in no order. A key that has no item is not among them.
    ///
    /// - Parameter keys: objects of key attributes, at most `keysAtOnce`, no two of one item.
    /// - Throws: as every call; a throttling error where some keys were left unprocessed time and again.
    ///
    /// Source: API Reference, `BatchGetItem`.
    package func items(
        under keys: [[UInt8]], of table: TableName, consistent: Bool
    ) async throws(DynamoDBError) -> [ScanPage] {
        var pages: [ScanPage] = []
        var rest = keys
        var inVain = 0
        while !rest.isEmpty {
            let (page, unprocessed) = try await found(under: rest, of: table, consistent: consistent)
            pages.append(page)
            // A page ends at 16 MB, too, so what is left is no sign of throttling unless nothing came.
            inVain = page.changes.isEmpty && unprocessed.count == rest.count ? inVain + 1 : 0
            if inVain > 0, try await !pause(afterThrottles: inVain) {
                throw .service(
                    code: "ProvisionedThroughputExceededException",
                    message: "\(unprocessed.count) keys were left unprocessed", status: 200,
                    operation: Operation.batchGetItem.rawValue, object: "table \(table)", requestID: nil)
            }
            rest = unprocessed
        }
        return pages
    }

    /// The keys of some of a table's items: those behind `key` in the order of a Scan. None come only where none are left.
    ///
    /// - Returns: objects of key attributes, as places within the bodies.
    ///
    /// Source: API Reference, `Scan`, `ProjectionExpression`.
    package func keys(
        of table: TableSchema, after key: [UInt8]?, limit: Int
    ) async throws(DynamoDBError) -> ScanPage {
        var last = key
        while true {
            var names = RequestBody()
            let attributes = [table.hash, table.range].compactMap(\.self)
            for (index, attribute) in attributes.enumerated() {
                names.add(named: "#\(index)", RequestBody.quoted(String(decoding: attribute.name, as: UTF8.self)))
            }
            var body = RequestBody()
            body.add("TableName", table.name.text)
            body.add("ConsistentRead", true)
            body.add("Limit", limit)
            body.add("ProjectionExpression", attributes.indices.map { "#\($0)" }.joined(separator: ", "))
            body.add("ExpressionAttributeNames", names.bytes)
            if let last { body.add("ExclusiveStartKey", last) }
            let page = try await call(.scan, of: "table \(table.name)", body) { reply throws(UnreadableReply) in
                do throws(SimdjsonError) {
                    let scan = try Replies.scan(in: reply)
                    return ScanPage(
                        body: reply, changes: scan.changes,
                        lastEvaluatedKey: scan.lastEvaluatedKey.map { Array(reply[$0.range]) })
                } catch {
                    throw UnreadableReply(why: "\(error)")
                }
            }
            // A page may end before it has found anything.
            guard page.changes.isEmpty, let next = page.lastEvaluatedKey else { return page }
            last = next
        }
    }

    private func found(
        under keys: [[UInt8]], of table: TableName, consistent: Bool
    ) async throws(DynamoDBError) -> (page: ScanPage, unprocessed: [[UInt8]]) {
        var wanted = RequestBody()
        wanted.add("Keys", [UInt8(ascii: "[")] + keys.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")])
        if consistent { wanted.add("ConsistentRead", true) }
        var tables = RequestBody()
        tables.add(named: table.text, wanted.bytes)
        var body = RequestBody()
        body.add("RequestItems", tables.bytes)
        body.add("ReturnConsumedCapacity", "TOTAL")
        return try await call(.batchGetItem, of: "table \(table)", body) { reply throws(UnreadableReply) in
            do throws(SimdjsonError) {
                let found = try Replies.found(in: reply)
                let changes = found.items.map { item in
                    Change(
                        kind: .snapshot, sequenceNumber: nil, approximateTime: nil, keys: item, newImage: item,
                        oldImage: nil)
                }
                let page = ScanPage(
                    body: reply, changes: changes, lastEvaluatedKey: nil, capacityUnits: found.capacityUnits)
                return (page, found.unprocessed.map { Array(reply[$0.range]) })
            } catch {
                throw UnreadableReply(why: "\(error)")
            }
        }
    }
}
