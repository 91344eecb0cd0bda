internal import DynamoDB
internal import StreamModel

/// The attributes that global tables of version 2017.11.29 keep of themselves in each item: `aws:rep:deleting`, `aws:rep:updatetime`,
/// `aws:rep:updateregion` (Developer Guide, global tables).
enum ReplicationAttributes {
    private static let prefix = Array("aws:rep:".utf8)

    static func contains(_ name: [UInt8]) -> Bool { name.starts(with: prefix) }

    /// The item without them; `nil` where it has none. What stays is copied byte for byte, and nothing is decoded but names.
    static func stripped(_ item: ByteRange, of body: [UInt8]) -> [UInt8]? {
        guard let members = JSONPlaces.members(of: item.range, in: body),
            members.contains(where: { contains($0.name) })
        else { return nil }
        var bytes = [UInt8(ascii: "{")]
        bytes.reserveCapacity(item.range.count)
        for member in members where !contains(member.name) {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            bytes += body[member.whole]
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}
