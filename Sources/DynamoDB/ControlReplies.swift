internal import Foundation
internal import StreamModel

// What the calls reply that carry no item. The names are the API's, but for their first letter (API Reference).

extension JSONDecoder {
    /// For the replies below.
    static var controlReplies: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { path in
            let name = path.last?.stringValue ?? ""
            return ReplyKey(stringValue: name.prefix(1).lowercased() + name.dropFirst())
        }
        return decoder
    }
}

private struct ReplyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

struct DescribeTableReply: Decodable {
    struct Table: Decodable {
        struct Key: Decodable {
            let attributeName: String
            let keyType: String
        }
        struct Attribute: Decodable {
            let attributeName: String
            let attributeType: String
        }
        struct Stream: Decodable {
            let streamEnabled: Bool?
            let streamViewType: String?
        }
        struct Throughput: Decodable {
            let readCapacityUnits: Double?
            let writeCapacityUnits: Double?

            /// 0 of a table that is billed on demand (API Reference, ProvisionedThroughputDescription).
            var provisioned: TableDesign.Throughput? {
                guard let reads = readCapacityUnits, let writes = writeCapacityUnits, reads > 0, writes > 0 else {
                    return nil
                }
                return TableDesign.Throughput(reads: Int64(reads), writes: Int64(writes))
            }
        }
        struct Index: Decodable {
            struct Projection: Decodable {
                let projectionType: String?
                let nonKeyAttributes: [String]?
            }
            let indexName: String
            let keySchema: [Key]
            let projection: Projection?
            let provisionedThroughput: Throughput?
        }
        let tableName: String
        let tableId: String?
        let tableArn: String?
        let creationDateTime: Double?
        let tableStatus: String?
        let keySchema: [Key]
        let attributeDefinitions: [Attribute]
        let streamSpecification: Stream?
        let latestStreamArn: String?
        let itemCount: Int64?
        let tableSizeBytes: Int64?
        let provisionedThroughput: Throughput?
        let globalSecondaryIndexes: [Index]?
        let localSecondaryIndexes: [Index]?

        /// The key attribute of that role, `nil` where there is none or its type isn't defined.
        func attribute(_ role: String, of keys: [Key]) -> KeyAttribute? {
            guard let key = keys.first(where: { $0.keyType == role }) else { return nil }
            // By bytes: Swift's `==` holds names equal that DynamoDB keeps apart.
            let definition = attributeDefinitions.first {
                $0.attributeName.utf8.elementsEqual(key.attributeName.utf8)
            }
            guard let type = definition.flatMap({ ScalarType(rawValue: $0.attributeType) }) else { return nil }
            return KeyAttribute(name: Array(key.attributeName.utf8), type: type)
        }

        var design: TableDesign {
            TableDesign(
                indexes: (localSecondaryIndexes ?? []).compactMap { index($0, .local) }
                    + (globalSecondaryIndexes ?? []).compactMap {
                        index($0, .global($0.provisionedThroughput?.provisioned))
                    },
                billing: provisionedThroughput?.provisioned.map { .provisioned($0) } ?? .onDemand)
        }

        private func index(_ index: Index, _ scope: SecondaryIndex.Scope) -> SecondaryIndex? {
            guard let hash = attribute("HASH", of: index.keySchema) else { return nil }
            let projection: SecondaryIndex.Projection =
                switch index.projection?.projectionType {
                case "KEYS_ONLY": .keysOnly
                case "INCLUDE": .include((index.projection?.nonKeyAttributes ?? []).map { Array($0.utf8) })
                default: .all
                }
            return SecondaryIndex(
                name: index.indexName, scope: scope, hash: hash, range: attribute("RANGE", of: index.keySchema),
                projection: projection)
        }
    }
    let table: Table

    /// `nil` if it has no hash key, or one whose type isn't defined.
    var description: TableDescription? {
        let hasRange = table.keySchema.contains { $0.keyType == "RANGE" }
        let range = table.attribute("RANGE", of: table.keySchema)
        guard let hash = table.attribute("HASH", of: table.keySchema), !hasRange || range != nil else { return nil }
        return TableDescription(
            schema: TableSchema(name: TableName(table.tableName), hash: hash, range: range),
            // An emulator may give no TableId.
            id: (table.tableId ?? table.creationDateTime.map { "created at \($0)" }).map { TableID($0) },
            status: table.tableStatus ?? "ACTIVE", stream: table.latestStreamArn.map { StreamARN($0) },
            streamEnabled: table.streamSpecification?.streamEnabled ?? false,
            viewType: table.streamSpecification?.streamViewType, itemCount: table.itemCount ?? 0,
            tableSizeBytes: table.tableSizeBytes ?? 0,
            provisionedReads: table.provisionedThroughput?.readCapacityUnits.flatMap { $0 > 0 ? $0 : nil },
            design: table.design, arn: table.tableArn, uniqueID: table.tableId,
            // A number that is none of this age, in milliseconds for one, says nothing.
            created: table.creationDateTime.flatMap { (0..<1e11).contains($0) ? Timestamp(seconds: $0) : nil })
    }
}

struct DescribeTimeToLiveReply: Decodable {
    struct Description: Decodable {
        let timeToLiveStatus: String?
        let attributeName: String?
    }
    let timeToLiveDescription: Description?

    var attribute: [UInt8]? {
        switch timeToLiveDescription?.timeToLiveStatus {
        case "ENABLED", "ENABLING": (timeToLiveDescription?.attributeName).map { Array($0.utf8) }
        default: nil
        }
    }
}

struct ListTagsOfResourceReply: Decodable {
    struct Tag: Decodable {
        let key: String
        let value: String
    }
    let tags: [Tag]?
    let nextToken: String?
}

struct ListTablesReply: Decodable {
    let tableNames: [String]
    let lastEvaluatedTableName: String?
}

struct DescribeStreamReply: Decodable {
    struct Description: Decodable {
        struct Listed: Decodable {
            struct Range: Decodable {
                let startingSequenceNumber: String?
                let endingSequenceNumber: String?
            }
            let shardId: String
            let parentShardId: String?
            let sequenceNumberRange: Range?
        }
        let streamStatus: String
        let streamViewType: String?
        let shards: [Listed]?
        let lastEvaluatedShardId: String?
    }
    let streamDescription: Description
}

extension DescribeStreamReply.Description.Listed {
    /// `nil` for a sequence number that isn't one.
    var shard: Shard? {
        var range = SequenceRange()
        if let text = sequenceNumberRange?.startingSequenceNumber {
            guard let number = SequenceNumber(text) else { return nil }
            range.starting = number
        }
        if let text = sequenceNumberRange?.endingSequenceNumber {
            guard let number = SequenceNumber(text) else { return nil }
            range.ending = number
        }
        return Shard(id: ShardID(shardId), parent: parentShardId.map { ShardID($0) }, range: range)
    }
}

struct GetShardIteratorReply: Decodable {
    let shardIterator: String
}
