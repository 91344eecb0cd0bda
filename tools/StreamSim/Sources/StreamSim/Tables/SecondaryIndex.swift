/// An index beside a table's own key. It is described, and holds items to its key's types; nobody can read it here.
struct SecondaryIndex: Sendable {
    enum Kind: Sendable {
        case global
        /// Of the table's partition key.
        case local
    }

    let kind: Kind
    let name: Text
    let schema: KeySchema
    let projection: Text
    /// With the projection INCLUDE.
    let nonKeyAttributes: [JSON]
    let capacity: (read: Int64, write: Int64)?

    /// - Parameters:
    ///   - types: of AttributeDefinitions.
    ///   - isProvisioned: of the table.
    init(
        _ body: JSON, _ kind: Kind, _ types: [Text: String], of table: KeySchema, isProvisioned: Bool
    ) throws(ServiceError) {
        guard let name = try body.text("IndexName"), (3...255).contains(name.bytes.count) else {
            throw .validation("IndexName must be 3 to 255 characters long")
        }
        self.kind = kind
        self.name = name
        schema = try KeySchema(try body.elements("KeySchema"), types)
        let projection = try body.object("Projection") ?? [:]
        self.projection = try projection.text("ProjectionType") ?? ""
        nonKeyAttributes = try projection.elements("NonKeyAttributes") ?? []
        guard ["ALL", "KEYS_ONLY", "INCLUDE"].contains(self.projection) else {
            throw .invalid("Unknown ProjectionType: \(self.projection)")
        }
        guard (self.projection == "INCLUDE") != nonKeyAttributes.isEmpty else {
            throw .invalid(
                "ProjectionType is \(self.projection), "
                    + (nonKeyAttributes.isEmpty
                        ? "but NonKeyAttributes is not specified" : "but NonKeyAttributes is specified"))
        }
        switch kind {
        case .local:
            guard table.range != nil, schema.hash == table.hash, schema.range != nil else {
                throw .invalid(
                    "Table KeySchema does not have a range key, which is required when specifying a "
                        + "LocalSecondaryIndex, or index \(name) has not the table's hash key and a range key")
            }
            capacity = nil
        case .global: capacity = try body.capacity(isProvisioned: isProvisioned, of: "index: \(name)")
        }
    }

    /// An item without one of the key's attributes is not in the index; one with another type can't be.
    func check(_ item: Attributes) throws(ServiceError) {
        for attribute in schema.attributes {
            guard let value = item[attribute.name] else { continue }
            guard value.type == attribute.type else {
                throw .invalid(
                    "Type mismatch for Index Key \(attribute.name) Expected: \(attribute.type) Actual: \(value.type) "
                        + "IndexName: \(name)")
            }
            if attribute.type != "N", value.size == 0 {
                throw .validation(
                    "One or more parameter values are not valid. A value specified for a secondary index key is not "
                        + "supported. The AttributeValue for a key attribute cannot contain an empty "
                        + "\(attribute.type == "S" ? "string" : "binary") value. IndexName: \(name), IndexKey: "
                        + "\(attribute.name)")
            }
            let longest = attribute == schema.hash ? 2048 : 1024
            guard value.size <= longest else {
                throw .invalid(
                    "Size of hashkey or rangekey of index \(name) has exceeded the maximum size limit of \(longest) "
                        + "bytes")
            }
        }
    }

    /// Its size and its count stay at nothing: the service too has them of six hours ago.
    func description(of table: Table, status: Text) -> JSON {
        var projected = [JSON.Member("ProjectionType", .string(projection))]
        if !nonKeyAttributes.isEmpty { projected.append(JSON.Member("NonKeyAttributes", .array(nonKeyAttributes))) }
        var members: [JSON.Member] = [
            JSON.Member("IndexName", .string(name)), JSON.Member("KeySchema", schema.json),
            JSON.Member("Projection", .object(projected)), JSON.Member("IndexSizeBytes", 0),
            JSON.Member("ItemCount", 0),
            JSON.Member("IndexArn", .string(Text("\(table.arn)/index/\(name)"))),
        ]
        if kind == .global {
            members.append(JSON.Member("IndexStatus", .string(status)))
            members.append(JSON.Member("ProvisionedThroughput", .throughput(capacity ?? (0, 0))))
        }
        return .object(members)
    }
}

extension JSON {
    /// Of a table or of a global index.
    ///
    /// - Returns: `nil` where it is paid by the request.
    func capacity(isProvisioned: Bool, of what: String) throws(ServiceError) -> (read: Int64, write: Int64)? {
        let throughput = try object("ProvisionedThroughput")
        guard isProvisioned else {
            guard throughput == nil else {
                throw .invalid(
                    "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
                        + "PAY_PER_REQUEST (\(what))")
            }
            return nil
        }
        guard let read = try throughput?.integer("ReadCapacityUnits"),
            let write = try throughput?.integer("WriteCapacityUnits"), read > 0, write > 0
        else {
            throw .invalid(
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED "
                    + "(\(what))")
        }
        return (read, write)
    }

    static func throughput(_ capacity: (read: Int64, write: Int64)) -> JSON {
        [
            "NumberOfDecreasesToday": 0, "ReadCapacityUnits": .integer(capacity.read),
            "WriteCapacityUnits": .integer(capacity.write),
        ]
    }
}
