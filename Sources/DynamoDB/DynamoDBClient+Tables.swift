package import StreamModel

/// What a table is beside its items: read of a source, made at a target.
extension DynamoDBClient {
    // MARK: Reading

    /// What DescribeTable has said of a table, with its time to live and its tags.
    ///
    /// - Returns: what may not be read, or what the endpoint doesn't know, among `unread`: a copy can do without.
    /// - Throws: what may pass by itself.
    package func design(of table: TableDescription) async throws(DynamoDBError) -> TableDesign {
        var design = table.design
        let name = table.schema.name
        do throws(DynamoDBError) { design.timeToLive = try await timeToLive(of: name) } catch {
            design.unread.append("time to live: \(try error.thatStays())")
        }
        guard let arn = table.arn else { return design }
        do throws(DynamoDBError) { design.tags = try await tags(of: arn) } catch {
            design.unread.append("tags: \(try error.thatStays())")
        }
        return design
    }

    /// The attribute that holds when an item expires; `nil` where that is not enabled. Source: API Reference, `DescribeTimeToLive`.
    package func timeToLive(of name: TableName) async throws(DynamoDBError) -> [UInt8]? {
        var body = RequestBody()
        body.add("TableName", name.text)
        return try await decode(DescribeTimeToLiveReply.self, .describeTimeToLive, "table \(name)", body).attribute
    }

    /// Source: API Reference, `ListTagsOfResource`.
    package func tags(of arn: String) async throws(DynamoDBError) -> [TableDesign.Tag] {
        var tags: [TableDesign.Tag] = []
        var token: String?
        repeat {
            var body = RequestBody()
            body.add("ResourceArn", arn)
            if let token { body.add("NextToken", token) }
            let reply = try await decode(ListTagsOfResourceReply.self, .listTagsOfResource, arn, body)
            tags += (reply.tags ?? []).map { TableDesign.Tag(key: $0.key, value: $0.value) }
            try checkProgress(from: token, to: reply.nextToken, .listTagsOfResource, arn)
            token = reply.nextToken
        } while token != nil
        return tags
    }

    // MARK: Making

    /// Has a table made; it is not there yet when this returns (DescribeTable). Its time to live and its tags are not set by this.
    ///
    /// - Throws: an error that `isInUse` where there is one of that name, maybe by a try whose answer was lost.
    ///
    /// Source: API Reference, `CreateTable`.
    package func createTable(_ table: TableSchema, like design: TableDesign) async throws(DynamoDBError) {
        var body = RequestBody()
        body.add("TableName", table.name.text)
        body.add("AttributeDefinitions", Self.definitions(table, design))
        body.add("KeySchema", Self.keySchema(table.hash, table.range))
        switch design.billing {
        case .onDemand: body.add("BillingMode", "PAY_PER_REQUEST")
        case .provisioned(let throughput):
            body.add("BillingMode", "PROVISIONED")
            body.add("ProvisionedThroughput", Self.json(throughput))
        }
        let local = design.indexes.filter { $0.scope == .local }
        let global = design.indexes.filter { $0.scope != .local }
        if !local.isEmpty { body.add("LocalSecondaryIndexes", Self.list(local.map { Self.json($0, design.billing) })) }
        if !global.isEmpty {
            body.add("GlobalSecondaryIndexes", Self.list(global.map { Self.json($0, design.billing) }))
        }
        try await call(.createTable, of: "table \(table.name)", body) { _ in }
    }

    /// Has a table dropped, with its items; it is still there when this returns. Source: API Reference, `DeleteTable`.
    package func deleteTable(_ name: TableName) async throws(DynamoDBError) {
        var body = RequestBody()
        body.add("TableName", name.text)
        try await call(.deleteTable, of: "table \(name)", body) { _ in }
    }

    /// Source: API Reference, `UpdateTimeToLive`.
    package func setTimeToLive(_ attribute: [UInt8], of name: TableName) async throws(DynamoDBError) {
        var specification = RequestBody()
        specification.add("AttributeName", String(decoding: attribute, as: UTF8.self))
        specification.add("Enabled", true)
        var body = RequestBody()
        body.add("TableName", name.text)
        body.add("TimeToLiveSpecification", specification.bytes)
        try await call(.updateTimeToLive, of: "table \(name)", body) { _ in }
    }

    /// Source: API Reference, `TagResource`.
    package func tag(_ arn: String, with tags: [TableDesign.Tag]) async throws(DynamoDBError) {
        var body = RequestBody()
        body.add("ResourceArn", arn)
        body.add(
            "Tags",
            Self.list(
                tags.map { tag in
                    var one = RequestBody()
                    one.add("Key", tag.key)
                    one.add("Value", tag.value)
                    return one.bytes
                }))
        try await call(.tagResource, of: arn, body) { _ in }
    }

    // MARK: -

    private static func list(_ elements: [[UInt8]]) -> [UInt8] {
        [UInt8(ascii: "[")] + elements.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
    }

    /// Of the attributes of all keys, each once: others may not be defined.
    private static func definitions(_ table: TableSchema, _ design: TableDesign) -> [UInt8] {
        var attributes: [KeyAttribute] = []
        var all: [KeyAttribute?] = [table.hash, table.range]
        for index in design.indexes { all += [index.hash, index.range] }
        for attribute in all.compactMap(\.self) where !attributes.contains(where: { $0.name == attribute.name }) {
            attributes.append(attribute)
        }
        return list(
            attributes.map { attribute in
                var one = RequestBody()
                one.add("AttributeName", String(decoding: attribute.name, as: UTF8.self))
                one.add("AttributeType", attribute.type.rawValue)
                return one.bytes
            })
    }

    private static func keySchema(_ hash: KeyAttribute, _ range: KeyAttribute?) -> [UInt8] {
        list(
            [(hash, "HASH"), (range, "RANGE")].compactMap { attribute, role in
                guard let attribute else { return nil }
                var one = RequestBody()
                one.add("AttributeName", String(decoding: attribute.name, as: UTF8.self))
                one.add("KeyType", role)
                return one.bytes
            })
    }

    private static func json(_ throughput: TableDesign.Throughput) -> [UInt8] {
        var json = RequestBody()
        json.add("ReadCapacityUnits", Int(throughput.reads))
        json.add("WriteCapacityUnits", Int(throughput.writes))
        return json.bytes
    }

    private static func json(_ index: SecondaryIndex, _ billing: TableDesign.Billing) -> [UInt8] {
        var json = RequestBody()
        json.add("IndexName", index.name)
        json.add("KeySchema", keySchema(index.hash, index.range))
        var projection = RequestBody()
        switch index.projection {
        case .all: projection.add("ProjectionType", "ALL")
        case .keysOnly: projection.add("ProjectionType", "KEYS_ONLY")
        case .include(let names):
            projection.add("ProjectionType", "INCLUDE")
            projection.add(
                "NonKeyAttributes", list(names.map { RequestBody.quoted(String(decoding: $0, as: UTF8.self)) }))
        }
        json.add("Projection", projection.bytes)
        // Where the table has capacity, each GSI has its own; the table's will do where none was said.
        if case .global(let own) = index.scope, case .provisioned(let throughput) = billing {
            json.add("ProvisionedThroughput", Self.json(own ?? throughput))
        }
        return json.bytes
    }
}

extension DynamoDBError {
    /// - Throws: itself, if it may pass.
    fileprivate func thatStays() throws(DynamoDBError) -> DynamoDBError {
        if isRetryable || isCancelled { throw self }
        return self
    }
}
