internal import Curl
internal import DynamoDB
internal import Simdjson
package import StreamModel
package import Targets

/// `dynamodb:`: another DynamoDB, or a compatible endpoint: one table for each source table, each item as it arrived.
///
/// A write is as many calls as it takes, some at a time, and done when all of its items are.
package actor DynamoDBTarget: Target {
    package nonisolated let name: String
    package nonisolated let storesPositions = false
    package nonisolated var fillsOn: Bool { settings.existing == .append }
    package nonisolated var copiesDesign: Bool { settings.creates }

    let client: DynamoDBClient
    /// The tables that changes come from, where it is known where they are.
    let source: DynamoDBClient?
    nonisolated let settings: DynamoDBSettings
    let surroundings: Surroundings
    let policy: RetryPolicy
    var names: TableNames { settings.names }

    var tables = PreparedTables()
    /// By their names at the target.
    var places: [TableName: AnsweredTable] = [:]
    var loops = Loops()
    var doubts: DoubtfulKeys
    /// Whether somebody else writes to the same tables meanwhile.
    var isBeside = false
    /// Transactions whose outcome nobody knows yet.
    var unresolved: [OpenTransaction] = []
    /// Of transactions under way of which a try may have been done, by their calls.
    var openWrites: [Int: [ItemWrite]] = [:]
    var remarks: [String] = []
    /// Tables that this run has made, or may have, and not given their time to live and tags yet.
    var unfinished: Set<TableName> = []

    /// How the keys are read that an answer names of a table.
    final class AnsweredTable {
        var keys: KeyReader

        init(_ schema: TableSchema) { keys = KeyReader(schema) }
    }

    init(
        name: String, client: DynamoDBClient, source: DynamoDBClient?, settings: DynamoDBSettings,
        policy: RetryPolicy = RetryPolicy(), surroundings: Surroundings = Surroundings()
    ) {
        self.name = name
        self.client = client
        self.source = source
        self.settings = settings
        self.policy = policy
        self.surroundings = surroundings
        doubts = DoubtfulKeys(settle: settings.settle, openedAt: surroundings.uptime())
    }

    /// - Parameter transport: `nil` for one of the target's own.
    static func make(
        _ request: TargetRequest, transport: (any HTTPTransport)? = nil, surroundings: Surroundings = Surroundings()
    ) throws(TargetError) -> DynamoDBTarget {
        let settings = try DynamoDBSettings(request)
        do throws(DynamoDBError) {
            let client = try DynamoDBClient.make(
                DynamoDBSettings.place(request.options), environment: request.environment, transport: transport,
                surroundings: surroundings)
            let source: DynamoDBClient? =
                if let source = request.source {
                    try DynamoDBClient.make(
                        SourceConfiguration(
                            region: source.region, endpoint: source.endpoint, profile: source.profile),
                        environment: request.environment, transport: transport, surroundings: surroundings)
                } else { nil }
            return DynamoDBTarget(
                name: name(of: client, request.options), client: client, source: source, settings: settings,
                surroundings: surroundings)
        } catch {
            throw .misconfigured(target: "dynamodb:", reason: "\(error)")
        }
    }

    /// What tells it from another DynamoDB, without secrets: its journal is known by this.
    private static func name(of client: DynamoDBClient, _ options: TargetOptions) -> String {
        let place = options.text(DynamoDBSettings.endpoint) == nil ? "" : " at \(client.endpoint)"
        let profile = options.text(DynamoDBSettings.profile).map { " profile \($0)" } ?? ""
        let role = options.text(DynamoDBSettings.role).map { " role \($0)" } ?? ""
        return "dynamodb:\(client.region)\(place)\(profile)\(role)"
    }

    // MARK: Opening

    /// It keeps no position, so it can't find out what it lacks of a journal.
    package nonisolated func takesOver(from earlier: String) -> Bool { false }

    package func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {
        do throws(DynamoDBError) { try await client.checkCredentials() } catch {
            throw TargetError(error, target: name, during: "opening")
        }
        // Who wrote before may have left calls under way.
        doubts = DoubtfulKeys(settle: settings.settle, openedAt: surroundings.uptime())
    }

    package func openBeside() async throws(TargetError) {
        try await open(recoveringTo: [])
        isBeside = true
    }

    package func close() async {
        await client.shutdown()
        await source?.shutdown()
        tables = PreparedTables()
        places = [:]
    }

    // MARK: Positions

    package func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] { [] }
    package func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] { [] }

    // MARK: -

    func access<R: Sendable>(
        _ operation: String, _ body: () async throws(DynamoDBError) -> R
    ) async throws(TargetError) -> R {
        do throws(DynamoDBError) { return try await body() } catch {
            throw TargetError(error, target: name, during: operation)
        }
    }

    package func takeRemarks() async -> [String] {
        defer { remarks = [] }
        return remarks
    }
}

extension TableSchema {
    /// The same under another name.
    func named(_ name: TableName) -> TableSchema { TableSchema(name: name, hash: hash, range: range) }
}
