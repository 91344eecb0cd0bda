/// The key of an item, with its place in the table: ordered as a scan gives the items.
package struct ItemKey: Hashable, Comparable, Sendable {
    /// The key's attributes, and nothing else.
    package let attributes: Attributes
    /// Where the partition lies among all hashes: it alone decides about the shard.
    let placement: UInt64
    private let sort: AttributeValue?
    /// In the form of the wire.
    package let bytes: [UInt8]

    init(_ schema: KeySchema, _ partition: AttributeValue, _ sort: AttributeValue?) {
        var attributes = Attributes()
        attributes[schema.hash.name] = partition
        if let range = schema.range, let sort { attributes[range.name] = sort }
        var wire: [UInt8] = []
        partition.write(into: &wire)
        placement = Self.hash(wire)
        self.attributes = attributes
        self.sort = sort
        bytes = attributes.bytes
    }

    package static func == (a: ItemKey, b: ItemKey) -> Bool { a.bytes == b.bytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    package static func < (a: ItemKey, b: ItemKey) -> Bool {
        guard a.placement == b.placement else { return a.placement < b.placement }
        switch (a.sort, b.sort) {
        case (.number(let a)?, .number(let b)?): return a < b
        case (.string(let a)?, .string(let b)?) where a != b: return a < b
        case (.binary(let a)?, .binary(let b)?) where a != b: return a.lexicographicallyPrecedes(b)
        default: return a.bytes.lexicographicallyPrecedes(b.bytes)
        }
    }

    /// FNV-1a, and the end of MurmurHash3 to spread it.
    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return hash ^ (hash >> 33)
    }
}
