/// A table as DescribeTable gives it (API Reference, TableDescription).
extension Simulator {
    func description(of table: Table, status: Text? = nil) -> JSON {
        var members: [JSON.Member] = [
            JSON.Member("TableName", .string(table.name)), JSON.Member("TableArn", .string(table.arn)),
            JSON.Member("TableId", .string(table.id)),
            JSON.Member("TableStatus", .string(status ?? table.status(at: now))),
            JSON.Member("CreationDateTime", .number(Text("\(table.created / 1_000_000)"))),
            JSON.Member("KeySchema", table.schema.json), JSON.Member(
                "AttributeDefinitions",
                KeySchema.definitions(table.schema.attributes + table.indexes.flatMap(\.schema.attributes))),
            JSON.Member("ItemCount", .number(Text("\(table.items.count)"))),
            JSON.Member("TableSizeBytes", .number(Text("\(table.items.size)"))),
            JSON.Member("ProvisionedThroughput", .throughput(table.capacity)),
        ]
        if !table.isProvisioned {
            members.append(
                JSON.Member(
                    "BillingModeSummary",
                    [
                        "BillingMode": "PAY_PER_REQUEST",
                        "LastUpdateToPayPerRequestDateTime": .integer(table.created / 1_000_000),
                    ]))
        }
        for (name, kind) in [
            ("GlobalSecondaryIndexes", .global), ("LocalSecondaryIndexes", .local),
        ] as [(Text, SecondaryIndex.Kind)] {
            let indexes = table.indexes.filter { $0.kind == kind }
            guard !indexes.isEmpty else { continue }
            // An index is there as soon as its table is.
            let status = status ?? (table.isActive(at: now) ? "ACTIVE" : "CREATING")
            members.append(JSON.Member(name, .array(indexes.map { $0.description(of: table, status: status) })))
        }
        if let stream = table.stream.map({ streams[$0] }) {
            members.append(JSON.Member("LatestStreamArn", .string(stream.arn)))
            members.append(JSON.Member("LatestStreamLabel", .string(stream.label)))
            if stream.disabled == nil {
                members.append(
                    JSON.Member(
                        "StreamSpecification",
                        ["StreamEnabled": true, "StreamViewType": .string(Text(stream.view.rawValue))]))
            }
        }
        return .object(members)
    }
}
