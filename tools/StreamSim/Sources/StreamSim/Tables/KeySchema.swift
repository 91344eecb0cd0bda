/// Which attributes make an item's key, and of which type each is.
package struct KeySchema: Hashable, Sendable {
    package struct Attribute: Hashable, Sendable {
        package let name: Text
        /// `S`, `N` or `B`.
        package let type: String

        package init(_ name: Text, _ type: String = "S") {
            self.name = name
            self.type = type
        }
    }

    package let hash: Attribute
    package let range: Attribute?

    package init(hash: Attribute, range: Attribute? = nil) {
        self.hash = hash
        self.range = range
    }

    var attributes: [Attribute] { range.map { [hash, $0] } ?? [hash] }

    /// The types in AttributeDefinitions, by name.
    static func types(_ definitions: [JSON]?) throws(ServiceError) -> [Text: String] {
        var types: [Text: String] = [:]
        for definition in definitions ?? [] {
            guard let name = try definition.text("AttributeName"),
                let type = try definition.text("AttributeType")?.string,
                ["S", "N", "B"].contains(type)
            else { throw .validation("Member must satisfy enum value set: [B, N, S]") }
            types[name] = type
        }
        return types
    }

    /// As CreateTable gives it, for a table or an index.
    init(_ schema: [JSON]?, _ types: [Text: String]) throws(ServiceError) {
        let elements = schema ?? []
        let kinds = elements.map { $0["KeyType"]?.text?.string }
        let attributes = elements.compactMap { element -> Attribute? in
            element["AttributeName"]?.text.flatMap { name in types[name].map { Attribute(name, $0) } }
        }
        guard attributes.count == elements.count else {
            throw .validation("Some index key attributes are not defined in AttributeDefinitions")
        }
        guard kinds == ["HASH"] || kinds == ["HASH", "RANGE"], Set(attributes.map(\.name)).count == attributes.count
        else { throw .validation("Invalid KeySchema: one HASH key, and one RANGE key of another name after it") }
        self.init(hash: attributes[0], range: attributes.count == 2 ? attributes[1] : nil)
    }

    var json: JSON {
        .array(
            zip(attributes, ["HASH", "RANGE"]).map { attribute, kind in
                ["AttributeName": .string(attribute.name), "KeyType": .string(Text(kind))]
            })
    }

    /// AttributeDefinitions of several, each once.
    static func definitions(_ attributes: [Attribute]) -> JSON {
        var seen: Set<Text> = []
        return .array(
            attributes.filter { seen.insert($0.name).inserted }.map {
                ["AttributeName": .string($0.name), "AttributeType": .string(Text($0.type))]
            })
    }

    // MARK: - Keys

    /// The key of an item.
    ///
    /// - Throws: a ValidationException, where one of its attributes is missing, of another type, empty or too long.
    package func key(of item: Attributes) throws(ServiceError) -> ItemKey {
        let partition = try value(of: hash, in: item, longest: 2048)
        guard let range else { return ItemKey(self, partition, nil) }
        return ItemKey(self, partition, try value(of: range, in: item, longest: 1024))
    }

    /// A key alone, as GetItem has it.
    func key(alone key: Attributes) throws(ServiceError) -> ItemKey {
        guard key.count == attributes.count else {
            throw .validation("The provided key element does not match the schema")
        }
        return try self.key(of: key)
    }

    private func value(of key: Attribute, in item: Attributes, longest: Int) throws(ServiceError) -> AttributeValue {
        guard let value = item[key.name] else {
            throw .validation(
                "One or more parameter values were invalid: Missing the key \(key.name.string) in the item")
        }
        guard value.type == key.type else {
            throw .validation(
                "One or more parameter values were invalid: Type mismatch for key \(key.name.string) expected: "
                    + "\(key.type) actual: \(value.type)")
        }
        let size = value.size
        if key.type != "N", size == 0 {
            throw .validation(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
                    + "empty \(key.type == "S" ? "string" : "binary") value. Key: \(key.name.string)")
        }
        guard size <= longest else {
            throw .validation(
                "One or more parameter values were invalid: Size of key \(key.name.string) has exceeded the maximum "
                    + "size limit of \(longest) bytes")
        }
        return value
    }
}
