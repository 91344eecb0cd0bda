package import StreamModel

/// An item to be put, or a key whose item is to be deleted, as bytes that go onto the wire as they are.
package struct ItemWrite: Sendable {
    package enum Kind: Hashable, Sendable {
        case put
        case delete
    }

    package let table: TableName
    package let kind: Kind
    /// What `place` lies in, such as the page that brought it.
    package let body: [UInt8]
    /// The item, or the key, as a JSON object of attribute values.
    package let place: ByteRange

    package init(_ kind: Kind, _ table: TableName, _ body: [UInt8], _ place: ByteRange) {
        self.kind = kind
        self.table = table
        self.body = body
        self.place = place
    }

    /// What it takes of a request at most, in bytes. Never less than what the service counts of an item: in JSON everything is longer.
    package var size: Int { Int(place.count) + table.text.utf8.count + 64 }

    /// The item or key.
    package var bytes: ArraySlice<UInt8> { body[place.range] }
}

extension [ItemWrite] {
    /// As BatchWriteItem takes them. Source: API Reference, `BatchWriteItem`.
    var batch: RequestBody {
        var json = reserved(#"{"RequestItems":{"#)
        let tables = reduce(into: [TableName]()) { if !$0.contains($1.table) { $0.append($1.table) } }
        for (index, table) in tables.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            json += RequestBody.quoted(table.text)
            json += ":[".utf8
            for (index, write) in self.lazy.filter({ $0.table == table }).enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                json += (write.kind == .put ? #"{"PutRequest":{"Item":"# : #"{"DeleteRequest":{"Key":"#).utf8
                json += write.bytes
                json += "}}".utf8
            }
            json.append(UInt8(ascii: "]"))
        }
        json += "}}".utf8
        return RequestBody(whole: json)
    }

    /// As TransactWriteItems takes them. Source: API Reference, `TransactWriteItems`.
    func transaction(token: String) -> RequestBody {
        var json = reserved(#"{"ClientRequestToken":"#)
        json += RequestBody.quoted(token)
        json += #","TransactItems":["#.utf8
        for (index, write) in enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            json += (write.kind == .put ? #"{"Put":{"TableName":"# : #"{"Delete":{"TableName":"#).utf8
            json += RequestBody.quoted(write.table.text)
            json += (write.kind == .put ? #","Item":"# : #","Key":"#).utf8
            json += write.bytes
            json += "}}".utf8
        }
        json += "]}".utf8
        return RequestBody(whole: json)
    }

    private func reserved(_ head: String) -> [UInt8] {
        var json: [UInt8] = []
        json.reserveCapacity(reduce(128) { $0 + $1.size })
        json += head.utf8
        return json
    }

    var object: String {
        let names = Set(map(\.table.text)).sorted()
        let tables = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
        return "\(count) \(count == 1 ? "item" : "items") of \(names.count == 1 ? "table" : "tables") \(tables)"
    }
}
