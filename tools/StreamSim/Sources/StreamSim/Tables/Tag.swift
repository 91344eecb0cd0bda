/// A tag of a table (API Reference, Tag).
struct Tag: Hashable, Sendable {
    let key: Text
    let value: Text

    /// As CreateTable and TagResource give them: 50 at most, each key once.
    static func list(in body: JSON) throws(ServiceError) -> [Tag] {
        var tags: [Tag] = []
        for json in try body.elements("Tags") ?? [] {
            guard let key = try json.text("Key"), let value = try json.text("Value"),
                (1...128).contains(key.string.count), value.string.count <= 256, !key.string.hasPrefix("aws:")
            else {
                throw .validation(
                    "A tag has a Key of 1 to 128 characters that does not begin with aws:, and a Value of 256 at most")
            }
            guard !tags.contains(where: { $0.key == key }) else {
                throw .validation("Duplicate tag key: \(key)")
            }
            tags.append(Tag(key: key, value: value))
        }
        return tags
    }

    /// - Throws: where a table has more of them than it may.
    static func check(_ tags: [Tag]) throws(ServiceError) {
        guard tags.count <= 50 else { throw .validation("Number of user tags has exceeded the maximum of 50") }
    }

    var json: JSON { ["Key": .string(key), "Value": .string(value)] }
}
