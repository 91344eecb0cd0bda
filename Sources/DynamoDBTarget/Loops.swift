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
        /// When it was made; `nil` where the endpoint doesn't know.
        let created: Timestamp?

        init(table: TableName, endpoint: String, region: String, id: String?, created: Timestamp? = nil) {
            self.table = table
            self.endpoint = endpoint
            self.region = region
            self.id = id
            self.created = created
        }

        init(_ table: TableDescription, of client: DynamoDBClient, at now: Timestamp) {
            self.init(
                table: table.schema.name, endpoint: client.endpoint, region: client.region, id: table.uniqueID,
                created: table.created.flatMap { now - $0 > Self.youth ? $0 : nil })
        }

        /// What is said to be younger may be the current time, which Alternator has given for every table (executor.cc, "take the tables
        /// creation time, not the current time!"): two tables that are looked at within one second would be one.
        private static let youth: Duration = .seconds(300)

        /// One table may be reached by two endpoints, and two accounts have tables of one name at one: so the id decides, where
        /// both have one. Where neither has, a table of the same name that was made at the same time is held for the same, since
        /// a copy that is refused is set right by another name, and a source that was dropped is not.
        func isSame(as other: Identity) -> Bool {
            if let id, let theirs = other.id { return id == theirs }
            if id == nil, other.id == nil, table == other.table, let created, created == other.created { return true }
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
        let now = surroundings.now()
        let identity =
            found.map { Loops.Identity($0, of: source, at: now) }
            ?? Loops.Identity(table: table, endpoint: source.endpoint, region: source.region, id: nil)
        return loops.connect(identity, to: Loops.Identity(place, of: client, at: now)).map { followed in
            "the table \(place.schema.name) of the target is the source's table \(followed) itself: what is written would come "
                + "back as a change, without an end. Name another region, endpoint or account for the target, or other tables by "
                + "target.tables.\(table) or prefix"
        }
    }
}
