internal import Dispatcher
internal import DynamoDB
internal import StreamModel

/// The tables that a configuration is about.
enum TableNames {
    /// Those that are named, then those of the account that match.
    static func of(
        _ daemon: DaemonConfiguration, _ client: DynamoDBClient
    ) async throws(ShakectlError) -> [TableName] {
        guard let globs = daemon.globs else { return daemon.tables }
        do {
            let matching = try await client.listTables().filter(globs.selects)
            return daemon.tables + matching.sorted().filter { !daemon.tables.contains($0) }
        } catch {
            throw .source(error)
        }
    }
}
