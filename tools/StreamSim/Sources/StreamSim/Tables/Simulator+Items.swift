/// The calls about one item (API Reference: PutItem, GetItem, UpdateItem, DeleteItem).
extension Simulator {
    /// 400 KB, with the names of its attributes (FACTS 2.6).
    static let largestItem = 400 * 1024

    mutating func putItem(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try dataTable(in: body)
        try refuseLegacy(body)
        let item = try item(in: body["Item"], "Item")
        let key = try table.schema.key(of: item)
        try check(body, table.items[key])
        let before = change(key, to: item, of: table.name)
        return try reply(body, allowing: ["NONE", "ALL_OLD"], table.name, key, before, item)
    }

    mutating func deleteItem(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try dataTable(in: body)
        try refuseLegacy(body)
        let key = try table.schema.key(alone: try item(in: body["Key"], "Key"))
        try check(body, table.items[key])
        let before = change(key, to: nil, of: table.name)
        return try reply(body, allowing: ["NONE", "ALL_OLD"], table.name, key, before, nil)
    }

    mutating func updateItem(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try dataTable(in: body)
        try refuseLegacy(body)
        let keyItem = try item(in: body["Key"], "Key")
        let key = try table.schema.key(alone: keyItem)
        var placeholders = try Placeholders(
            names: body["ExpressionAttributeNames"], values: body["ExpressionAttributeValues"])
        let update = try body["UpdateExpression"]?.text.map { text throws(ServiceError) in
            try UpdateExpression(text, &placeholders)
        }
        let condition = try body["ConditionExpression"]?.text.map { text throws(ServiceError) in
            try Condition(text, &placeholders)
        }
        try placeholders.checkAllUsed()
        for attribute in table.schema.attributes where update?.touched.contains(attribute.name) == true {
            throw .validation(
                "One or more parameter values were invalid: Cannot update attribute \(attribute.name.string). This "
                    + "attribute is part of the key")
        }
        let before = table.items[key]
        try hold(condition, before, returning: body)
        let after = try update?.applied(to: before ?? keyItem, isNew: before == nil) ?? before ?? keyItem
        guard after.size <= Self.largestItem else { throw .tooLarge }
        change(key, to: after, of: table.name)
        return try reply(
            body, allowing: ["NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"], table.name, key, before, after,
            updated: update.map { Projection(of: $0.paths) })
    }

    func getItem(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try dataTable(in: body)
        let key = try table.schema.key(alone: try item(in: body["Key"], "Key"))
        var placeholders = try Placeholders(names: body["ExpressionAttributeNames"], values: nil)
        let projection = try body["ProjectionExpression"]?.text.map { text throws(ServiceError) in
            try Projection(text, &placeholders)
        }
        try placeholders.checkAllUsed()
        let found = table.items[key]
        var reply: [JSON.Member] = []
        if let item = found { reply.append(JSON.Member("Item", (projection?.applied(to: item) ?? item).json)) }
        reply += consumed(body, table.name, units: readUnits(of: found?.size ?? 0, body))
        return .object(reply)
    }

    // MARK: - What they share

    /// A table whose items may be asked for.
    func dataTable(in body: JSON) throws(ServiceError) -> Table { try dataTable(try TableDefinition.name(in: body)) }

    func dataTable(_ name: Text) throws(ServiceError) -> Table {
        let table = try table(named: name)
        guard table.isActive(at: now) else {
            throw ServiceError(
                code: "ResourceNotFoundException", message: "Requested resource not found: Table: \(name.string) not found",
                status: 400)
        }
        guard !settings.throttledTables.contains(name) else { throw .throughputExceeded }
        return table
    }

    func item(in json: JSON?, _ parameter: String) throws(ServiceError) -> Attributes {
        guard let json else { throw .validation("The parameter '\(parameter)' is required but was not present") }
        let item = try Attributes(json)
        guard item.size <= Self.largestItem else { throw .tooLarge }
        return item
    }

    /// What a condition replaced ten years ago is not spoken here.
    private func refuseLegacy(_ body: JSON) throws(ServiceError) {
        for parameter in ["Expected", "AttributeUpdates", "ConditionalOperator"] as [Text] where body[parameter] != nil {
            throw .validation("\(parameter.string): this endpoint knows expressions only")
        }
    }

    private func check(_ body: JSON, _ found: Attributes?) throws(ServiceError) {
        var placeholders = try Placeholders(
            names: body["ExpressionAttributeNames"], values: body["ExpressionAttributeValues"])
        let condition = try body["ConditionExpression"]?.text.map { text throws(ServiceError) in
            try Condition(text, &placeholders)
        }
        try placeholders.checkAllUsed()
        try hold(condition, found, returning: body)
    }

    private func hold(_ condition: Condition?, _ found: Attributes?, returning body: JSON) throws(ServiceError) {
        guard let condition, !(try condition.holds(for: found ?? Attributes())) else { return }
        throw ServiceError(
            code: "ConditionalCheckFailedException", message: "The conditional request failed", status: 400)
    }

    private func reply(
        _ body: JSON, allowing allowed: [Text], _ table: Text, _ key: ItemKey, _ before: Attributes?, _ after: Attributes?,
        updated: Projection? = nil
    ) throws(ServiceError) -> JSON {
        let wanted = body["ReturnValues"]?.text ?? "NONE"
        guard allowed.contains(wanted) else {
            throw .validation("ReturnValues can only be one of \(allowed.map(\.string))")
        }
        let shown: Attributes? =
            switch wanted.string {
            case "ALL_OLD": before
            case "ALL_NEW": after
            case "UPDATED_OLD": before.flatMap { updated?.applied(to: $0) }
            case "UPDATED_NEW": after.flatMap { updated?.applied(to: $0) }
            default: nil
            }
        var reply: [JSON.Member] = []
        if let shown, !shown.isEmpty { reply.append(JSON.Member("Attributes", shown.json)) }
        let size = max(before?.size ?? 0, after?.size ?? 0)
        reply += consumed(body, table, units: Double(max(1, (size + 1023) / 1024)))
        return .object(reply)
    }

    // MARK: - Capacity

    /// A consistent read of 4 KB is one unit, any other a half (DG ReadWriteCapacityMode).
    func readUnits(of size: Int, _ body: JSON) -> Double {
        let units = Double(max(1, (size + 4095) / 4096))
        return body["ConsistentRead"]?.isTrue == true ? units : units / 2
    }

    func consumed(_ body: JSON, _ table: Text, units: Double) -> [JSON.Member] {
        guard let wanted = body["ReturnConsumedCapacity"]?.text, wanted != "NONE" else { return [] }
        return [JSON.Member("ConsumedCapacity", Self.capacity(of: table, units))]
    }

    static func capacity(of table: Text, _ units: Double) -> JSON {
        ["TableName": .string(table), "CapacityUnits": .number(Text("\(units)"))]
    }
}

extension ServiceError {
    static let tooLarge = ServiceError.validation("Item size has exceeded the maximum allowed size")
    static let throughputExceeded = ServiceError(
        code: "ProvisionedThroughputExceededException",
        message: "The level of configured provisioned throughput for the table was exceeded", status: 400)
}
