/// The calls about tables (API Reference: CreateTable, DescribeTable, ListTables, UpdateTable, DeleteTable, and those of TTL).
extension Simulator {
    mutating func createTable(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try create(try TableDefinition(body))
        return ["TableDescription": description(of: table)]
    }

    mutating func create(_ definition: TableDefinition) throws(ServiceError) -> Table {
        let name = definition.name
        guard tables[name] == nil else { throw .inUse("Table already exists: \(name.string)") }
        tablesMade += 1
        tables[name] = Table(
            name: name, id: tableID(tablesMade), schema: definition.schema,
            created: now, activeAt: now + settings.tableDelay,
            isProvisioned: definition.capacity != nil, capacity: definition.capacity ?? (0, 0),
            indexes: definition.indexes, tags: definition.tags)
        if let view = definition.view { addStream(view, to: name, definition.schema) }
        return try table(named: name)
    }

    /// No two tables have the same one, also of two services.
    private func tableID(_ number: Int) -> Text {
        let digits = String(UInt32(truncatingIfNeeded: seed), radix: 16)
        return Text(
            "\(String(repeating: "0", count: 8 - digits.count))\(digits)-0000-4000-8000-\(100_000_000_000 + number)")
    }

    func describeTable(_ body: JSON) throws(ServiceError) -> JSON {
        ["Table": description(of: try table(in: body))]
    }

    func listTables(_ body: JSON) throws(ServiceError) -> JSON {
        let limit = try body.integer("Limit") ?? 100
        guard (1...100).contains(limit) else { throw .validation("Limit must be between 1 and 100") }
        let start = try body.text("ExclusiveStartTableName")
        let names = tables.keys.sorted().filter { name in start.map { $0 < name } ?? true }
        let page = names.prefix(Int(limit))
        var reply: [JSON.Member] = [JSON.Member("TableNames", .array(page.map { .string($0) }))]
        if page.count < names.count, let last = page.last {
            reply.append(JSON.Member("LastEvaluatedTableName", .string(last)))
        }
        return .object(reply)
    }

    /// Of a table only its stream can be changed here. While it is UPDATING it takes no other change (API Reference, UpdateTable).
    mutating func updateTable(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try table(in: body)
        guard table.isActive(at: now) else { throw .inUse("Table is being created: \(table.name.string)") }
        guard !table.isChanging(at: now) else { throw .inUse("Table is being updated: \(table.name.string)") }
        guard let specification = try body.object("StreamSpecification") else {
            throw .validation("UpdateTable: this endpoint changes the StreamSpecification only, and there is none")
        }
        if let view = try StreamView(specification: specification) {
            try openStream(view, of: table.name)
        } else {
            try closeStream(of: table.name)
        }
        tables[table.name]?.changingUntil = now + settings.tableDelay
        return ["TableDescription": description(of: try self.table(named: table.name))]
    }

    /// A stream whose view is to be another one has to be switched off first (API Reference, StreamSpecification).
    mutating func openStream(_ view: StreamView, of name: Text) throws(ServiceError) {
        let table = try table(named: name)
        if let stream = table.stream, streams[stream].disabled == nil {
            throw .inUse("Table already has an enabled stream: \(name.string)")
        }
        addStream(view, to: name, table.schema)
        note("stream: switched on")
    }

    mutating func closeStream(of name: Text) throws(ServiceError) {
        guard let stream = try table(named: name).stream, streams[stream].disabled == nil else {
            throw .validation("Table already has a disabled stream: \(name.string)")
        }
        disableStream(stream)
        note("stream: switched off")
    }

    /// Its stream can be read for as long as one that was switched off.
    mutating func deleteTable(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try table(in: body)
        guard table.isActive(at: now) else { throw .inUse("Table is being created: \(table.name.string)") }
        guard !table.isChanging(at: now) else { throw .inUse("Table is being updated: \(table.name.string)") }
        if let stream = table.stream, streams[stream].disabled == nil { disableStream(stream) }
        tables[table.name] = nil
        return ["TableDescription": description(of: table, status: "DELETING")]
    }

    // MARK: - Time to live

    mutating func updateTimeToLive(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try table(in: body)
        guard let specification = try body.object("TimeToLiveSpecification"),
            let name = try specification.text("AttributeName"), !name.bytes.isEmpty,
            let isEnabled = try specification.flag("Enabled")
        else { throw .validation("TimeToLiveSpecification needs Enabled and AttributeName") }
        switch (table.timeToLive, isEnabled) {
        case (.some, true): throw .validation("TimeToLive is already enabled")
        case (nil, false): throw .validation("TimeToLive is already disabled")
        case (let old?, false) where old != name:
            throw .validation("TimeToLive is active on a different AttributeName: current AttributeName is \(old)")
        case (nil, true): tables[table.name]?.timeToLive = name
        case (.some, false): tables[table.name]?.timeToLive = nil
        }
        return ["TimeToLiveSpecification": ["Enabled": .bool(isEnabled), "AttributeName": .string(name)]]
    }

    func describeTimeToLive(_ body: JSON) throws(ServiceError) -> JSON {
        guard let attribute = try table(in: body).timeToLive else {
            return ["TimeToLiveDescription": ["TimeToLiveStatus": "DISABLED"]]
        }
        return ["TimeToLiveDescription": ["TimeToLiveStatus": "ENABLED", "AttributeName": .string(attribute)]]
    }

    // MARK: -

    func table(in body: JSON) throws(ServiceError) -> Table { try table(named: try TableDefinition.name(in: body)) }

    func table(named name: Text) throws(ServiceError) -> Table {
        guard let table = tables[name] else { throw .noTable(name) }
        return table
    }
}

extension ServiceError {
    static func noTable(_ name: Text) -> ServiceError {
        ServiceError(
            code: "ResourceNotFoundException", message: "Requested resource not found: Table: \(name) not found")
    }

    static func inUse(_ message: String) -> ServiceError {
        ServiceError(code: "ResourceInUseException", message: message, status: 400)
    }
}
