import DynamoDB
import StreamModel

extension RawPage {
    /// A GetRecords reply, as JSON.
    static func made(of records: ArraySlice<FakeShard.Record>, weight: Int, next: ShardIterator?) -> RawPage {
        let filler = String(repeating: "x", count: weight)
        let written = records.map { record in
            record.text ?? """
                {"eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":\(record.time.microseconds / 1_000_000),\
                "Keys":{"id":{"S":"\(record.key)"}},"NewImage":{"id":{"S":"\(record.key)"},"filler":{"S":"\(filler)"}},\
                "SequenceNumber":"\(record.number)"}}
                """
        }
        let end = next.map { ",\"NextShardIterator\":\"\($0.token)\"" } ?? ""
        return RawPage(body: Array("{\"Records\":[\(written.joined(separator: ","))]\(end)}".utf8), hintedNext: next)
    }
}

extension ScanPage {
    static func key(of item: String) -> String { "{\"id\":{\"S\":\"\(item)\"}}" }

    /// A Scan reply. An item consists of its key; those that aren't wanted are left out, and count for the page's end.
    static func made(
        of items: ArraySlice<String>, isLast: Bool, weight: Int = 0, where isWanted: (String) -> Bool = { _ in true }
    ) -> ScanPage {
        var body: [UInt8] = []
        let changes = items.filter { isWanted(key(of: $0)) }.map { item in
            let range = ByteRange(offset: UInt32(body.count), count: UInt32(key(of: item).utf8.count))
            body += Array(key(of: item).utf8)
            return Change(
                kind: .snapshot, sequenceNumber: nil, approximateTime: nil, keys: range, newImage: range, oldImage: nil)
        }
        body += Array(repeating: UInt8(ascii: " "), count: weight)
        let last = isLast ? nil : items.last.map { Array(key(of: $0).utf8) }
        return ScanPage(body: body, changes: changes, lastEvaluatedKey: last, capacityUnits: 1)
    }
}

extension DynamoDBError {
    /// The service's word.
    static func named(_ code: String, status: Int = 400) -> DynamoDBError {
        .service(code: code, message: "", status: status, operation: "GetRecords", object: "a shard", requestID: nil)
    }
}
