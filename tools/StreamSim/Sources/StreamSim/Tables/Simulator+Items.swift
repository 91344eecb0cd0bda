/// The calls about one item (API Reference: PutItem, GetItem, UpdateItem, DeleteItem).
extension Simulator {
    /// 400 KB, with the names of its attributes (FACTS 2.6).
    static let largestItem = 400 * 1024

    mutating func putItem(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try dataTable(in: body)
        let wanted = try Wanted(body, allowing: ["NONE", "ALL_OLD"])
        let item = try item(in: body["Item"], "Item")
        let key = try table.key(of: item)
        try check(body, table.items[key], wanted)
        let before = change(key, to: item, of: table.name)
        return reply(wanted, table.name, before, item)
    }

    mutating func deleteItem(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try dataTable(in: body)
        let wanted = try Wanted(body, allowing: ["NONE", "ALL_OLD"])
        let key = try table.schema.key(alone: try item(in: body["Key"], "Key"))
        try check(body, table.items[key], wanted)
        let before = change(key, to: nil, of: table.name)
        return reply(wanted, table.name, before, nil)
    }

    mutating func updateItem(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try dataTable(in: body)
        let wanted = try Wanted(body, allowing: ["NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"])
        let keyItem = try item(in: body["Key"], "Key")
        let key = try table.schema.key(alone: keyItem)
        var placeholders = try Placeholders(
            names: body["ExpressionAttributeNames"], values: body["ExpressionAttributeValues"])
        let update = try body.text("UpdateExpression").map { text throws(ServiceError) in
            try UpdateExpression(text, &placeholders)
        }
        let condition = try body.text("ConditionExpression").map { text throws(ServiceError) in
            try Condition(text, &placeholders)
        }
        try placeholders.checkAllUsed()
        if let update { try table.checkKeyIsUntouched(by: update) }
        let before = table.items[key]
        try hold(condition, before, wanted)
        let after = try update?.applied(to: before ?? keyItem, isNew: before == nil) ?? before ?? keyItem
        guard after.size <= Self.largestItem else { throw .tooLarge }
        _ = try table.key(of: after)
        change(key, to: after, of: table.name)
        return reply(wanted, table.name, before, after, updated: update.map { Projection(of: $0.paths) })
    }

    func getItem(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try dataTable(in: body)
        let key = try table.schema.key(alone: try item(in: body["Key"], "Key"))
        var placeholders = try Placeholders(names: body["ExpressionAttributeNames"], values: nil)
        let isConsistent = try body.flag("ConsistentRead") ?? false
        let isCounted = try Self.wantsCapacity(body)
        let projection = try body.text("ProjectionExpression").map { text throws(ServiceError) in
            try Projection(text, &placeholders)
        }
        try placeholders.checkAllUsed()
        let found = table.items[key]
        var reply: [JSON.Member] = []
        if let item = found { reply.append(JSON.Member("Item", (projection?.applied(to: item) ?? item).json)) }
        if isCounted {
            reply.append(Self.consumed(table.name, Self.readUnits(of: found?.size ?? 0, isConsistent: isConsistent)))
        }
        return .object(reply)
    }

    // MARK: - What they share

    /// A table whose items may be asked for.
    func dataTable(in body: JSON) throws(ServiceError) -> Table { try dataTable(try TableDefinition.name(in: body)) }

    func dataTable(_ name: Text) throws(ServiceError) -> Table {
        let table = try activeTable(name)
        guard !settings.throttledTables.contains(name) else { throw .throughputExceeded }
        return table
    }

    /// The items of a table that is still being created can't be asked for.
    func activeTable(_ name: Text) throws(ServiceError) -> Table {
        let table = try table(named: name)
        guard table.isActive(at: now) else { throw .noTable(name) }
        return table
    }

    func item(in json: JSON?, _ parameter: String) throws(ServiceError) -> Attributes {
        guard let json, !json.isNull else {
            throw .validation("The parameter '\(parameter)' is required but was not present")
        }
        let item = try Attributes(json)
        guard item.size <= Self.largestItem else { throw .tooLarge }
        return item
    }

    /// What expressions replaced ten years ago is not spoken here.
    static func refuseLegacy(_ body: JSON) throws(ServiceError) {
        for parameter in legacyParameters where !(body[parameter] ?? .null).isNull {
            throw .validation("\(parameter.string): this endpoint knows expressions only")
        }
    }

    /// Developer Guide, Legacy conditional parameters.
    private static let legacyParameters: [Text] = [
        "AttributesToGet", "AttributeUpdates", "ConditionalOperator", "Expected", "KeyConditions", "QueryFilter",
        "ScanFilter",
    ]

    private func check(_ body: JSON, _ found: Attributes?, _ wanted: Wanted) throws(ServiceError) {
        var placeholders = try Placeholders(
            names: body["ExpressionAttributeNames"], values: body["ExpressionAttributeValues"])
        let condition = try body.text("ConditionExpression").map { text throws(ServiceError) in
            try Condition(text, &placeholders)
        }
        try placeholders.checkAllUsed()
        try hold(condition, found, wanted)
    }

    private func hold(_ condition: Condition?, _ found: Attributes?, _ wanted: Wanted) throws(ServiceError) {
        guard let condition, !(try condition.holds(for: found ?? Attributes())) else { return }
        var error = ServiceError(
            code: "ConditionalCheckFailedException", message: "The conditional request failed")
        if wanted.itemOnFailure { error.item = found }
        throw error
    }

    private func reply(
        _ wanted: Wanted, _ table: Text, _ before: Attributes?, _ after: Attributes?, updated: Projection? = nil
    ) -> JSON {
        let shown: Attributes? =
            switch wanted.values.string {
            case "ALL_OLD": before
            case "ALL_NEW": after
            case "UPDATED_OLD": before.flatMap { updated?.applied(to: $0) }
            case "UPDATED_NEW": after.flatMap { updated?.applied(to: $0) }
            default: nil
            }
        var reply: [JSON.Member] = []
        if let shown, !shown.isEmpty { reply.append(JSON.Member("Attributes", shown.json)) }
        let size = max(before?.size ?? 0, after?.size ?? 0)
        if wanted.capacity { reply.append(Self.consumed(table, Double(max(1, (size + 1023) / 1024)))) }
        return .object(reply)
    }

    // MARK: - Capacity

    /// A consistent read of 4 KB is one unit, any other a half (DG ReadWriteCapacityMode).
    static func readUnits(of size: Int, isConsistent: Bool) -> Double {
        let units = Double(max(1, (size + 4095) / 4096))
        return isConsistent ? units : units / 2
    }

    static func wantsCapacity(_ body: JSON) throws(ServiceError) -> Bool {
        try body.choice("ReturnConsumedCapacity", of: ["NONE", "INDEXES", "TOTAL"]) != "NONE"
    }

    static func consumed(_ table: Text, _ units: Double) -> JSON.Member {
        JSON.Member("ConsumedCapacity", capacity(of: table, units))
    }

    static func capacity(of table: Text, _ units: Double) -> JSON {
        ["TableName": .string(table), "CapacityUnits": .number(Text("\(units)"))]
    }
}

/// What a write is to answer. Asked before its effect: a call that is refused has none.
private struct Wanted {
    let values: Text
    let itemOnFailure: Bool
    let capacity: Bool

    init(_ body: JSON, allowing allowed: [Text]) throws(ServiceError) {
        values = try body.choice("ReturnValues", of: allowed)
        itemOnFailure = try body.choice("ReturnValuesOnConditionCheckFailure", of: ["NONE", "ALL_OLD"]) == "ALL_OLD"
        capacity = try Simulator.wantsCapacity(body)
        // There are no indexes, and so no collections.
        _ = try body.choice("ReturnItemCollectionMetrics", of: ["NONE", "SIZE"])
    }
}

extension ServiceError {
    static let tooLarge = ServiceError.validation("Item size has exceeded the maximum allowed size")
    static let throughputExceeded = ServiceError(
        code: "ProvisionedThroughputExceededException",
        message: "The level of configured provisioned throughput for the table was exceeded", status: 400)
}
