/// What a table is made of.
package struct TableDefinition: Sendable {
    package var name: Text
    package var schema: KeySchema
    /// `nil`: without a stream.
    package var view: StreamView?
    package var capacity: (read: Int64, write: Int64)?
    var indexes: [SecondaryIndex] = []
    var tags: [Tag] = []

    package init(name: Text, schema: KeySchema, view: StreamView? = .newAndOldImages) {
        self.name = name
        self.schema = schema
        self.view = view
    }

    /// As CreateTable gives it.
    init(_ body: JSON) throws(ServiceError) {
        name = try Self.name(in: body)
        let types = try KeySchema.types(try body.elements("AttributeDefinitions"))
        let schema = try KeySchema(try body.elements("KeySchema"), types)
        self.schema = schema
        view = try StreamView(specification: try body.object("StreamSpecification"))
        let isProvisioned = try body.choice("BillingMode", of: ["PROVISIONED", "PAY_PER_REQUEST"]) == "PROVISIONED"
        capacity = try body.capacity(isProvisioned: isProvisioned, of: "table: \(name)")
        for (member, kind, most) in [
            ("GlobalSecondaryIndexes", .global, 20), ("LocalSecondaryIndexes", .local, 5),
        ] as [(Text, SecondaryIndex.Kind, Int)] {
            guard let elements = try body.elements(member) else { continue }
            guard (1...most).contains(elements.count) else {
                throw .invalid("\(member): 1 to \(most), or none at all")
            }
            for element in elements {
                let index = try SecondaryIndex(element, kind, types, of: schema, isProvisioned: isProvisioned)
                guard !indexes.contains(where: { $0.name == index.name }) else {
                    throw .invalid("Duplicate index name: \(index.name)")
                }
                indexes.append(index)
            }
        }
        let used = Set((schema.attributes + indexes.flatMap(\.schema.attributes)).map(\.name))
        guard used.count == types.count else {
            throw .invalid(
                "Number of attributes in KeySchema does not exactly match number of attributes defined in "
                    + "AttributeDefinitions")
        }
        tags = try Tag.list(in: body)
        try Tag.check(tags)
    }

    /// A table's name, by the service's rule (API Reference, CreateTable): 3 to 255 of `[a-zA-Z0-9_.-]`. An ARN of a table of
    /// this endpoint will do as well.
    static func name(in body: JSON) throws(ServiceError) -> Text {
        guard let given = try body.text("TableName") else {
            throw .validation("The parameter 'TableName' is required but was not present in the request")
        }
        let bytes = given.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let name = bytes.count == 2 && given.string.hasPrefix("arn:aws:dynamodb:") ? Text(utf8: Array(bytes[1])) : given
        let isAllowed = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard let name, (3...255).contains(name.bytes.count), name.bytes.allSatisfy(isAllowed) else {
            throw .validation(
                "Invalid TableName '\(given.string)': 3 to 255 characters, each of [a-zA-Z0-9_.-]")
        }
        return name
    }
}
