internal import DynamoDB
internal import StreamModel
internal import Targets

/// Which tables changes come from and go to, and whether one is both: then each write would come back as a change, without an end.
struct Loops: Equatable, Sendable {
    /// What tells a table from every other one.
    struct Identity: Equatable, Sendable {
        let table: TableName
        let endpoint: String
        let region: String
        /// Its TableId; `nil` where the endpoint says none.
        let id: String?

        init(table: TableName, endpoint: String, region: String, id: String?) {
            self.table = table
            self.endpoint = endpoint
            self.region = region
            self.id = id
        }

        init(_ table: TableDescription, of client: DynamoDBClient) {
            self.init(
                table: table.schema.name, endpoint: client.endpoint, region: client.region, id: table.uniqueID)
        }

        /// One table may be reached by two endpoints, and two accounts have tables of one name at one: so the id decides, where
        /// both have one.
        func isSame(as other: Identity) -> Bool {
            if let id, let theirs = other.id { return id == theirs }
            return table == other.table && endpoint == other.endpoint && region == other.region
        }
    }

    /// By the source table's name.
    private var sources: [TableName: Identity] = [:]
    private var places: [TableName: Identity] = [:]

    /// Sets down that a table's changes go to `place`, unless that, or the table itself, closes a loop.
    ///
    /// - Returns: the source table that would be written to; `nil` where none is.
    mutating func connect(_ source: Identity, to place: Identity) -> TableName? {
        var (sources, places) = (sources, places)
        sources[source.table] = source
        places[source.table] = place
        if let table = sources.first(where: { $0.value.isSame(as: place) })?.key { return table }
        if places.contains(where: { $0.value.isSame(as: source) }) { return source.table }
        (self.sources, self.places) = (sources, places)
        return nil
    }
}

extension DynamoDBTarget {
    /// - Throws: `.misconfigured` where the table that is to be written is one that is followed.
    func checkIsNoSource(_ place: TableDescription, for table: TableName) async throws(TargetError) {
        if let refusal = try await loop(place, for: table) { throw .misconfigured(target: name, reason: refusal) }
    }

    /// Why the table may not be written to or dropped; `nil` where it may.
    func loop(_ place: TableDescription, for table: TableName) async throws(TargetError) -> String? {
        guard let source else { return nil }
        let found: TableDescription? = try await access("looking at the source's table \(table)") {
            () throws(DynamoDBError) in
            do throws(DynamoDBError) { return try await source.describeTable(table) } catch {
                if error.isNotFound { return nil }
                throw error
            }
        }
        let identity =
            found.map { Loops.Identity($0, of: source) }
            ?? Loops.Identity(table: table, endpoint: source.endpoint, region: source.region, id: nil)
        return loops.connect(identity, to: Loops.Identity(place, of: client)).map { followed in
            "the table \(place.schema.name) of the target is the source's table \(followed) itself: what is written would come "
                + "back as a change, without an end. Name another region, endpoint or account for the target, or other tables by "
                + "target.tables.\(table) or prefix"
        }
    }
}
