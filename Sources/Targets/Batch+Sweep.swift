internal import FoundationEssentials
package import StreamModel

extension Batch {
    /// The end of a full sync: removes rows that the source has no more.
    ///
    /// - Parameter keys: as the target has them.
    package static func sweep(_ keys: [CanonicalKey], of table: TableSchema, _ fullSync: FullSyncID) -> Batch {
        var body: [UInt8] = []
        let changes = keys.map { key in
            let object = key.object(of: table)
            let place = ByteRange(offset: UInt32(body.count), count: UInt32(object.count))
            body += object
            return Change(
                kind: .remove, sequenceNumber: nil, approximateTime: nil, keys: place, newImage: nil, oldImage: nil)
        }
        return Batch(table: table, origin: .sweep(fullSync), parts: [Part(body: body, changes: changes)])
    }
}

extension CanonicalKey {
    /// The key attributes as a JSON object, as DynamoDB writes them.
    package func object(of table: TableSchema) -> [UInt8] {
        var object = Self.member(table.hash, hash)
        if let attribute = table.range, let range { object += [UInt8(ascii: ",")] + Self.member(attribute, range) }
        return [UInt8(ascii: "{")] + object + [UInt8(ascii: "}")]
    }

    private static func member(_ attribute: KeyAttribute, _ value: [UInt8]) -> [UInt8] {
        let text: [UInt8] =
            switch attribute.type {
            case .string, .number: quoted(value)
            case .binary: quoted(Data(value).base64EncodedString().utf8)
            }
        return quoted(attribute.name) + Array(":{\"\(attribute.type.rawValue)\":".utf8) + text + [UInt8(ascii: "}")]
    }
}
