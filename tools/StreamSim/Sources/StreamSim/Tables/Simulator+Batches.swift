/// The calls about many items (FACTS 2.4; API Reference: BatchWriteItem, BatchGetItem).
extension Simulator {
    /// All is refused where one of them can't be, and otherwise each is done for itself; what isn't comes back.
    mutating func batchWriteItem(_ body: JSON) throws(ServiceError) -> JSON {
        let requests = try Self.requests(in: body)
        let isCounted = try Self.wantsCapacity(body)
        _ = try body.choice("ReturnItemCollectionMetrics", of: ["NONE", "SIZE"])
        let count = requests.reduce(0) { $0 + ($1.value.elements?.count ?? 0) }
        guard count <= 25 else { throw .validation("Too many items requested for the BatchWriteItem call") }
        var writes: [(table: Table, key: ItemKey, item: Attributes?, request: JSON)] = []
        for request in requests {
            let table = try activeTable(try TableDefinition.name(in: ["TableName": .string(request.name)]))
            guard let elements = request.value.elements else { throw .serialization("\(request.name) is not a list") }
            guard !elements.isEmpty else {
                throw .validation("The batch write request list for a table cannot be null or empty")
            }
            for element in elements {
                let (key, item) = try write(element, table)
                guard !writes.contains(where: { $0.table.name == table.name && $0.key == key }) else {
                    throw .validation("Provided list of item keys contains duplicates")
                }
                writes.append((table, key, item, element))
            }
        }
        var unprocessed: [Text: [JSON]] = [:]
        var written: Set<Text> = []
        for write in writes {
            let name = write.table.name
            if settings.throttledTables.contains(name) || chance.percent(settings.unprocessedItems) {
                note("batch: an item comes back unprocessed")
                unprocessed[name, default: []].append(write.request)
                continue
            }
            let isFirst = written.insert(name).inserted
            change(
                write.key, to: write.item, of: name,
                makesRecord: isFirst || !settings.quirks.contains(.dropsBatchItems))
        }
        // With nothing done at all the call fails (API Reference).
        guard unprocessed.values.reduce(0, { $0 + $1.count }) < writes.count else { throw .throughputExceeded }
        var reply: [JSON.Member] = [JSON.Member("UnprocessedItems", Self.byTable(unprocessed))]
        if isCounted {
            let tables = Set(writes.map(\.table.name)).sorted()
            let units = tables.map { name in
                Self.capacity(of: name, Double(writes.count { $0.table.name == name }))
            }
            reply.append(JSON.Member("ConsumedCapacity", .array(units)))
        }
        return .object(reply)
    }

    private func write(_ request: JSON, _ table: Table) throws(ServiceError) -> (ItemKey, Attributes?) {
        switch (try request.object("PutRequest"), try request.object("DeleteRequest")) {
        case (let put?, nil):
            let item = try item(in: put["Item"], "Item")
            return (try table.key(of: item), item)
        case (nil, let delete?): return (try table.schema.key(alone: try item(in: delete["Key"], "Key")), nil)
        default:
            throw .validation("Supplied WriteRequest must have exactly one of PutRequest and DeleteRequest")
        }
    }

    mutating func batchGetItem(_ body: JSON) throws(ServiceError) -> JSON {
        let requests = try Self.requests(in: body)
        let isCounted = try Self.wantsCapacity(body)
        let count = requests.reduce(0) { $0 + ($1.value["Keys"]?.elements?.count ?? 0) }
        guard count <= 100 else { throw .validation("Too many items requested for the BatchGetItem call") }
        var found: [Text: [JSON]] = [:]
        var unprocessed: [JSON.Member] = []
        var countLeft = 0
        var units: [Text: Double] = [:]
        // A table may be named twice, by its name and by its ARN.
        var seen: [Text: Set<ItemKey>] = [:]
        for request in requests {
            let table = try activeTable(try TableDefinition.name(in: ["TableName": .string(request.name)]))
            try Self.refuseLegacy(request.value)
            let isConsistent = try request.value.flag("ConsistentRead") ?? false
            guard let keys = try request.value.elements("Keys"), !keys.isEmpty else {
                throw .validation("The list of keys of table \(table.name.string) must not be empty")
            }
            var left: [JSON] = []
            var placeholders = try Placeholders(names: request.value["ExpressionAttributeNames"], values: nil)
            let projection = try request.value.text("ProjectionExpression").map { text throws(ServiceError) in
                try Projection(text, &placeholders)
            }
            try placeholders.checkAllUsed()
            found[table.name, default: []] += []
            for element in keys {
                let key = try table.schema.key(alone: try item(in: element, "Key"))
                guard seen[table.name, default: []].insert(key).inserted else {
                    throw .validation("Provided list of item keys contains duplicates")
                }
                if settings.throttledTables.contains(table.name) || chance.percent(settings.unprocessedItems) {
                    note("batch: a key comes back unprocessed")
                    left.append(element)
                    continue
                }
                let item = table.items[key]
                units[table.name, default: 0] += Self.readUnits(of: item?.size ?? 0, isConsistent: isConsistent)
                if let item { found[table.name]?.append((projection?.applied(to: item) ?? item).json) }
            }
            countLeft += left.count
            if !left.isEmpty { unprocessed.append(JSON.Member(request.name, request.value.with("Keys", .array(left)))) }
        }
        // As with writes.
        guard countLeft < count else { throw .throughputExceeded }
        var reply = [
            JSON.Member("Responses", Self.byTable(found)), JSON.Member("UnprocessedKeys", .object(unprocessed)),
        ]
        if isCounted {
            let capacities = units.sorted { $0.key < $1.key }.map { Self.capacity(of: $0.key, $0.value) }
            reply.append(JSON.Member("ConsumedCapacity", .array(capacities)))
        }
        return .object(reply)
    }

    private static func requests(in body: JSON) throws(ServiceError) -> [JSON.Member] {
        guard let requests = try body.members("RequestItems"), !requests.isEmpty else {
            throw .validation("The parameter 'RequestItems' is required and must not be empty")
        }
        return requests
    }

    private static func byTable(_ lists: [Text: [JSON]]) -> JSON {
        .object(lists.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .array($0.value)) })
    }
}

extension JSON {
    /// The object with another value of a member that it has: what is asked again is asked as it was.
    fileprivate func with(_ name: Text, _ value: JSON) -> JSON {
        .object((members ?? []).map { $0.name == name ? Member(name, value) : $0 })
    }
}
