/// What a table is beside its key: what a copy of it may want to have as well.
package struct TableDesign: Hashable, Sendable {
    package var indexes: [SecondaryIndex]
    package var billing: Billing
    /// The attribute that holds when an item expires, where that is enabled.
    package var timeToLive: [UInt8]?
    package var tags: [Tag]
    /// What could not be read of it, and why, in words: it is none of the rest.
    package var unread: [String]

    package enum Billing: Hashable, Sendable {
        case onDemand
        case provisioned(Throughput)
    }

    /// Capacity units a second.
    package struct Throughput: Hashable, Sendable {
        package let reads: Int64
        package let writes: Int64

        package init(reads: Int64, writes: Int64) {
            self.reads = reads
            self.writes = writes
        }
    }

    package struct Tag: Hashable, Sendable {
        package let key: String
        package let value: String

        package init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    package init(
        indexes: [SecondaryIndex] = [], billing: Billing = .onDemand, timeToLive: [UInt8]? = nil, tags: [Tag] = [],
        unread: [String] = []
    ) {
        self.indexes = indexes
        self.billing = billing
        self.timeToLive = timeToLive
        self.tags = tags
        self.unread = unread
    }
}

/// A GSI or LSI of a table (API Reference, GlobalSecondaryIndexDescription, LocalSecondaryIndexDescription).
package struct SecondaryIndex: Hashable, Sendable {
    package enum Scope: Hashable, Sendable {
        case local
        /// With its own capacity, where the table's is provisioned.
        case global(TableDesign.Throughput?)
    }

    package enum Projection: Hashable, Sendable {
        case all
        case keysOnly
        case include([[UInt8]])
    }

    package let name: String
    package let scope: Scope
    package let hash: KeyAttribute
    package let range: KeyAttribute?
    package let projection: Projection

    package init(name: String, scope: Scope, hash: KeyAttribute, range: KeyAttribute?, projection: Projection) {
        self.name = name
        self.scope = scope
        self.hash = hash
        self.range = range
        self.projection = projection
    }
}
