import Curl
import StreamModel

@testable import DynamoDB

/// What many tests start from.
enum Sample {
    static let credentials = Credentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    static let stream = StreamARN("arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-11-23T00:00:00.000")
    static let shard = ShardKey(
        table: TableName("t"), stream: stream, shard: ShardID("shardId-00000001541626099285-f35f62ef"))
    static let schema = TableSchema(
        name: TableName("t"), hash: KeyAttribute(name: Array("pk".utf8), type: .string), range: nil)

    /// Waits too short to notice.
    static let quickRetries: RetryPolicy = {
        var policy = RetryPolicy()
        policy.base = .microseconds(10)
        policy.throttleBase = .microseconds(20)
        policy.cap = .milliseconds(1)
        return policy
    }()

    static func client(
        _ server: TestServer, retry: RetryPolicy = quickRetries, http: HTTPSettings = HTTPSettings(),
        providers: [any CredentialsProvider] = [FixedCredentials([credentials])]
    ) throws -> DynamoDBClient {
        let environment = ["HOME": "/nonexistent"]
        let source = try ResolvedSource(
            SourceConfiguration(region: "us-east-1", endpoint: server.url), environment: environment,
            profiles: SharedFiles(environment: environment).read())
        return try DynamoDBClient(source, credentials: CredentialsChain(providers), http: http, retry: retry)
    }

    /// Bytes with the room behind them that a reply has.
    static func body(_ text: String) -> [UInt8] {
        var body = Array(text.utf8)
        body.reserveCapacity(body.count + HTTPEngine.spareBytes)
        return body
    }
}

/// Gives the first, and the next of them each time that it is asked for others.
actor FixedCredentials: CredentialsProvider {
    private var left: [Credentials]

    init(_ credentials: [Credentials]) { left = credentials }

    nonisolated var name: String { "a list" }

    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
        if refreshing, left.count > 1 { left.removeFirst() }
        return left.first.map { .found($0) } ?? .nothing(why: "it is empty")
    }
}

extension ProviderAnswer {
    var found: Credentials? {
        if case .found(let credentials) = self { credentials } else { nil }
    }
}
