internal import DynamoDB
package import StreamModel
package import Targets

/// What lies at the target already.
extension DynamoDBTarget {
    package func hasPlace(for table: TableName) async throws(TargetError) -> Bool {
        guard let found = try await describe(TableName(names[table])) else { return false }
        return found.status != "DELETING"
    }

    package func survey(_ table: TableSchema) async throws(TargetError) -> Place {
        let place = TableName(names[table.name])
        func said(_ contents: Place.Contents, _ unfit: String?) -> Place {
            Place(object: "table \(place) of \(name)", contents: contents, unfit: unfit)
        }
        if let refusal = Self.refusal(of: place, for: table.name) ?? tables.claim(place.text, for: table.name) {
            return said(.missing, refusal)
        }
        guard let found = try await describe(place), found.status != "DELETING" else {
            return said(.missing, settings.creates ? nil : Self.missing(place))
        }
        if let loop = try await loop(found, for: table.name) { return said(.filled, loop) }
        return said(try await isFilled(found) ? .filled : .empty, misfit(of: table, found))
    }

    /// The table's own count is hours old.
    private func isFilled(_ table: TableDescription) async throws(TargetError) -> Bool {
        guard table.status != "CREATING" else { return false }
        let page = try await access("looking into the table \(table.schema.name)") { () throws(DynamoDBError) in
            try await client.keys(of: table.schema, after: nil, limit: 1)
        }
        return !page.changes.isEmpty
    }

    package func begin(_ table: TableName) async throws(TargetError) -> String? {
        let place = TableName(names[table])
        if let refusal = tables.claim(place.text, for: table) { throw .misconfigured(target: name, reason: refusal) }
        guard Self.refusal(of: place, for: table) == nil, let found = try await settled(place) else { return nil }
        try await checkIsNoSource(found, for: table)
        guard try await isFilled(found) else { return nil }
        switch settings.existing {
        case .refuse, .rename:
            throw .misconfigured(
                target: name,
                reason:
                    "the table \(place) holds items of which this journal knows nothing. Go on with the journal that they were "
                    + "written with; or say what becomes of them: --existing append fills the table on, replace drops it first "
                    + "and makes another")
        case .append: return "the table \(place) holds items already, and is filled on"
        case .replace:
            try await drop(place)
            return "the table \(place) held items, and was dropped"
        }
    }

    /// Drops the table, and returns when it is gone.
    private func drop(_ place: TableName) async throws(TargetError) {
        var wait: Duration = .milliseconds(250)
        let start = surroundings.uptime()
        while true {
            let isInUse = try await access("dropping the table \(place)") { () throws(DynamoDBError) in
                do throws(DynamoDBError) {
                    try await client.deleteTable(place)
                    return false
                } catch {
                    if error.isNotFound { return false }
                    if error.isInUse { return true }
                    throw error
                }
            }
            // It is being changed, or goes already.
            let found = try await settled(place)
            if found == nil { return }
            guard surroundings.uptime() - start < Self.longestChange else {
                throw .unavailable(
                    target: name,
                    reason: "the table \(place) is not gone ten minutes after it was to be dropped"
                        + (isInUse ? ": it is being changed" : ""))
            }
            try await pause(&wait)
        }
    }
}
