/// What a table is made of.
package struct TableDefinition: Sendable {
    package var name: Text
    package var schema: KeySchema
    /// `nil`: without a stream.
    package var view: StreamView?
    package var capacity: (read: Int64, write: Int64)?

    package init(name: Text, schema: KeySchema, view: StreamView? = .newAndOldImages) {
        self.name = name
        self.schema = schema
        self.view = view
    }

    /// As CreateTable gives it.
    init(_ body: JSON) throws(ServiceError) {
        name = try Self.name(in: body)
        schema = try KeySchema(try body.elements("KeySchema"), try body.elements("AttributeDefinitions"))
        view = try StreamView(specification: try body.object("StreamSpecification"))
        for index in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] as [Text]
        where try body.elements(index) != nil {
            throw .validation("\(index.string): this endpoint has tables without indexes only")
        }
        switch try body.text("BillingMode")?.string {
        case "PAY_PER_REQUEST"?: capacity = nil
        case nil, "PROVISIONED"?:
            guard let throughput = try body.object("ProvisionedThroughput"),
                let read = try throughput.integer("ReadCapacityUnits"),
                let write = try throughput.integer("WriteCapacityUnits"), read > 0, write > 0
            else {
                throw .validation(
                    "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
            }
            capacity = (read, write)
        case let mode?: throw .validation("BillingMode '\(mode)' is none of [PROVISIONED, PAY_PER_REQUEST]")
        }
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
