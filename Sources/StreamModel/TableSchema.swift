/// What a target must know of a table to keep its items apart.
package struct TableSchema: Hashable, Sendable {
    package let name: TableName
    package let hash: KeyAttribute
    package let range: KeyAttribute?

    package init(name: TableName, hash: KeyAttribute, range: KeyAttribute?) {
        self.name = name
        self.hash = hash
        self.range = range
    }
}

/// One attribute of a table's primary key. The name is kept as bytes: Swift's `String` holds names equal that
/// DynamoDB keeps apart (FACTS 8).
package struct KeyAttribute: Hashable, Sendable {
    package let name: [UInt8]
    package let type: ScalarType

    package init(name: [UInt8], type: ScalarType) {
        self.name = name
        self.type = type
    }
}

/// The types that a key attribute can have (CreateTable, AttributeDefinitions).
package enum ScalarType: String, Hashable, Sendable {
    case string = "S"
    case number = "N"
    case binary = "B"
}
