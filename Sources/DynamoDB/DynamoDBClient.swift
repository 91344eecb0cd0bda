package import Curl
package import Filter
internal import Foundation
internal import Simdjson
package import StreamModel

/// DynamoDB's tables and their streams, as far as a source is read and a target is written.
///
/// Each call tries again where that may help, within `RetryPolicy`, before it throws. Cancelling the task cancels a
/// call, or the wait between two tries, at once.
package final class DynamoDBClient: Sendable {
    package let region: String
    let caller: Caller

    /// Told of each failed call that is made again, and when.
    package typealias RetryObserver = @Sendable (_ failure: DynamoDBError, _ again: Duration) -> Void
    /// Told of each try of a call that has come to an end: the operation, `OK` or the error's code, and how long it took.
    package typealias AnswerObserver = @Sendable (_ operation: String, _ code: String, _ took: Duration) -> Void
    /// Told of each try of a write that may have been done, or may be yet, though no answer says so: a cut connection, a timeout, a
    /// 5xx. The call may succeed all the same, by a later try.
    package typealias UnknownObserver = @Sendable () -> Void
    /// Told of each try that has failed: refused, broken, or not answered in time. The call may succeed all the same, by a later one.
    package typealias FailureObserver = @Sendable () -> Void
    private let transport: any HTTPTransport

    package convenience init(
        _ source: ResolvedSource, credentials: CredentialsChain, http: HTTPSettings = HTTPSettings(),
        retry: RetryPolicy = RetryPolicy(), limits: CallLimits? = nil,
        onRetry: @escaping RetryObserver = { _, _ in }
    ) throws(DynamoDBError) {
        self.init(
            source, credentials: credentials, transport: try Self.engine(source, http), retry: retry, limits: limits,
            onRetry: onRetry)
    }

    private static func engine(_ source: ResolvedSource, _ http: HTTPSettings) throws(DynamoDBError) -> HTTPEngine {
        var http = http
        if let certificates = source.certificates {
            guard FileManager.default.isReadableFile(atPath: certificates) else {
                throw .configuration("AWS_CA_BUNDLE: can't read \(certificates)")
            }
            http.certificates = certificates
        }
        do throws(CurlError) { return try HTTPEngine(http) } catch { throw .configuration("\(error)") }
    }

    /// - Parameter limits: `nil` where calls are few.
    package init(
        _ source: ResolvedSource, credentials: CredentialsChain, transport: any HTTPTransport, retry: RetryPolicy,
        limits: CallLimits? = nil, surroundings: Surroundings = Surroundings(),
        onRetry: @escaping RetryObserver = { _, _ in }, onAnswer: AnswerObserver? = nil
    ) {
        self.transport = transport
        region = source.region
        caller = Caller(
            source: source, chain: credentials, transport: transport, policy: retry, limits: limits,
            surroundings: surroundings, onRetry: onRetry, onAnswer: onAnswer)
    }

    /// Finds region, endpoints and credentials as the SDKs do: flags, then environment, then the shared files.
    ///
    /// - Parameter transport: `nil` for an engine of the client's own.
    package static func make(
        _ configuration: SourceConfiguration, environment: [String: String], http: HTTPSettings = HTTPSettings(),
        retry: RetryPolicy = RetryPolicy(), limits: CallLimits? = nil, transport: (any HTTPTransport)? = nil,
        surroundings: Surroundings = Surroundings(), onRetry: @escaping RetryObserver = { _, _ in },
        onAnswer: AnswerObserver? = nil
    ) throws(DynamoDBError) -> DynamoDBClient {
        let files = SharedFiles(environment: environment)
        let profiles = try files.read()
        let source = try ResolvedSource(configuration, environment: environment, profiles: profiles)
        let transport = if let transport { transport } else { try engine(source, http) as any HTTPTransport }
        let settings = try MetadataSettings(environment) { profiles.setting($0, of: source.profile) }
        let making = CredentialsMaking(
            environment: environment, files: files, source: source,
            isProfileChosen: configuration.profile?.isEmpty == false,
            metadata: settings.map { InstanceMetadata($0, transport: transport, surroundings: surroundings) },
            transport: transport, retry: retry, clock: ServiceClock(surroundings), surroundings: surroundings,
            onFailure: onRetry)
        var chain = making.everywhere
        if let role = configuration.role {
            let request = try RoleRequest(role, externalID: configuration.externalID)
            chain = making.chain([AssumedRole(request: request, chain: chain, service: making.service)])
        }
        return DynamoDBClient(
            source, credentials: chain, transport: transport, retry: retry, limits: limits,
            surroundings: surroundings, onRetry: onRetry, onAnswer: onAnswer)
    }

    /// The region that this instance is in, where nobody has set one.
    ///
    /// - Returns: `nil` where one is set, and where this is no instance.
    package static func regionOfInstance(
        _ configuration: SourceConfiguration, environment: [String: String], transport: (any HTTPTransport)? = nil,
        surroundings: Surroundings = Surroundings()
    ) async throws(DynamoDBError) -> String? {
        let profiles = try SharedFiles(environment: environment).read()
        guard ResolvedSource.region(configuration, environment, profiles) == nil else { return nil }
        let profile = ResolvedSource.profile(configuration, environment) ?? "default"
        guard let settings = try MetadataSettings(environment, { profiles.setting($0, of: profile) }) else {
            return nil
        }
        let carrier: any HTTPTransport
        do throws(CurlError) {
            carrier = if let transport { transport } else { try HTTPEngine() as any HTTPTransport }
        } catch { throw .configuration("\(error)") }
        let metadata = InstanceMetadata(settings, transport: carrier, surroundings: surroundings)
        let answer: InstanceMetadata.Answer
        do throws(DynamoDBError) { answer = try await metadata.text("meta-data/placement/region") } catch {
            if transport == nil { await carrier.shutdown() }
            throw error
        }
        if transport == nil { await carrier.shutdown() }
        guard case .text(let region) = answer else { return nil }
        return region
    }

    /// The tables' endpoint, without a slash at its end.
    package var endpoint: String { Self.text(caller.endpoint(of: .tables)) }
    package var streamsEndpoint: String { Self.text(caller.endpoint(of: .streams)) }

    private static func text(_ url: HTTPURL) -> String { "\(url.scheme)://\(url.authority)" }

    /// Looks for credentials, without asking the service about them.
    ///
    /// - Throws: `.credentials`, with the places to put them.
    package func checkCredentials() async throws(DynamoDBError) { _ = try await currentCredentials() }

    func currentCredentials() async throws(DynamoDBError) -> Credentials { try await caller.currentCredentials() }

    /// What the service's clock is ahead of this machine's, as the Date header of the last `iterator` said; up to a second less
    /// than it is, since that header has no fractions.
    package var clockLead: Duration { caller.clockLead }
    package var readsMadeAgain: Int { caller.readsMadeAgain }

    /// Ends what is under way, with `.cancelled`. No call may follow.
    package func shutdown() async { await transport.shutdown() }

    // MARK: Tables

    /// Source: API Reference, `DescribeTable`.
    package func describeTable(_ name: TableName) async throws(DynamoDBError) -> TableDescription {
        var body = RequestBody()
        body.add("TableName", name.text)
        let object = "table \(name)"
        let reply = try await decode(DescribeTableReply.self, .describeTable, object, body)
        guard let description = reply.description else {
            throw .badReply(operation: "DescribeTable", object: object, why: "its key schema isn't one")
        }
        return description
    }

    /// All tables of the account in this region. Source: API Reference, `ListTables`.
    package func listTables() async throws(DynamoDBError) -> [TableName] {
        var tables: [TableName] = []
        var last: String?
        repeat {
            var body = RequestBody()
            if let last { body.add("ExclusiveStartTableName", last) }
            let reply = try await decode(ListTablesReply.self, .listTables, "the account", body)
            tables += reply.tableNames.map { TableName($0) }
            try checkProgress(from: last, to: reply.lastEvaluatedTableName, .listTables, "the account")
            last = reply.lastEvaluatedTableName
        } while last != nil
        return tables
    }

    /// Enables a stream with both images; it is not there yet when this returns (DescribeTable, DescribeStream).
    ///
    /// - Throws: an error that `isInUse` where the table has one that is enabled, maybe by a call whose answer was lost, or is
    ///   being made or changed: describe it again.
    ///
    /// Source: API Reference, `UpdateTable`, `StreamSpecification`.
    package func enableStream(of name: TableName) async throws(DynamoDBError) {
        var specification = RequestBody()
        specification.add("StreamEnabled", true)
        specification.add("StreamViewType", "NEW_AND_OLD_IMAGES")
        var body = RequestBody()
        body.add("TableName", name.text)
        body.add("StreamSpecification", specification.bytes)
        // The table as it will be says nothing that the next DescribeTable does not.
        _ = try await caller.call(.updateTable, of: "table \(name)", body) { $0 }
    }

    /// Reads a page of a segment's items: 1 MB at most. None does not mean the end of the segment.
    ///
    /// - Parameters:
    ///   - key: the last page's `lastEvaluatedKey`, of the same segment and total.
    ///   - filter: the service leaves out what does not match; a page may come with nothing, and is not the last for that.
    ///   - limit: items at most.
    ///
    /// Source: API Reference, `Scan`.
    package func scan(
        _ table: TableSchema, segment: Int, of totalSegments: Int, after key: [UInt8]?, consistent: Bool,
        filter: ItemFilter? = nil, limit: Int?
    ) async throws(DynamoDBError) -> ScanPage {
        try await scan(
            table, segment: segment, of: totalSegments, after: key, consistent: consistent, filter: filter,
            limit: limit, onFailure: {})
    }

    /// The same, with each try that fails told.
    package func scan(
        _ table: TableSchema, segment: Int, of totalSegments: Int, after key: [UInt8]?, consistent: Bool,
        filter: ItemFilter?, limit: Int?, onFailure: @escaping FailureObserver
    ) async throws(DynamoDBError) -> ScanPage {
        var body = RequestBody()
        body.add("TableName", table.name.text)
        body.add("Segment", segment)
        body.add("TotalSegments", totalSegments)
        if consistent { body.add("ConsistentRead", true) }
        if let limit { body.add("Limit", limit) }
        body.add("ReturnConsumedCapacity", "TOTAL")
        if let filter {
            body.add("FilterExpression", filter.expression)
            if let names = filter.names { body.add("ExpressionAttributeNames", names) }
            if let values = filter.values { body.add("ExpressionAttributeValues", values) }
        }
        if let key { body.add("ExclusiveStartKey", key) }
        let object = "table \(table.name), segment \(segment) of \(totalSegments)"
        return try await caller.call(.scan, of: object, body, onFailure: onFailure) { reply throws(UnreadableReply) in
            do throws(SimdjsonError) {
                let scan = try Replies.scan(in: reply)
                return ScanPage(
                    body: reply, changes: scan.changes,
                    lastEvaluatedKey: scan.lastEvaluatedKey.map { Array(reply[$0.range]) },
                    capacityUnits: scan.capacityUnits)
            } catch {
                throw UnreadableReply(why: "\(error)")
            }
        }
    }

    // MARK: Streams

    /// The stream with all shards of all pages. Source: API Reference (Streams), `DescribeStream`.
    package func describeStream(_ arn: StreamARN) async throws(DynamoDBError) -> StreamDescription {
        try await describeStream(arn, childrenOf: nil)
    }

    /// The shards that continue `shard`, once it is closed; they may show later than its end.
    ///
    /// Endpoints that don't know the filter answer with all shards, so each is looked at.
    ///
    /// Source: API Reference (Streams), `ShardFilter`.
    package func children(of shard: ShardID, in arn: StreamARN) async throws(DynamoDBError) -> [Shard] {
        let description: StreamDescription
        do throws(DynamoDBError) {
            description = try await describeStream(arn, childrenOf: shard)
        } catch {
            guard error.code == "ValidationException" || error.code == "SerializationException" else { throw error }
            description = try await describeStream(arn)
        }
        return description.shards.filter { $0.parent == shard }
    }

    private func describeStream(
        _ arn: StreamARN, childrenOf parent: ShardID?
    ) async throws(DynamoDBError) -> StreamDescription {
        var shards: [Shard] = []
        var places: [ShardID: Int] = [:]
        var last: String?
        let object = "stream \(arn)"
        while true {
            var body = RequestBody()
            body.add("StreamArn", arn.text)
            if let last { body.add("ExclusiveStartShardId", last) }
            if let parent {
                var filter = RequestBody()
                filter.add("Type", "CHILD_SHARDS")
                filter.add("ShardId", parent.text)
                body.add("ShardFilter", filter.bytes)
            }
            let page = try await decode(DescribeStreamReply.self, .describeStream, object, body).streamDescription
            for listed in page.shards ?? [] {
                guard let shard = listed.shard else {
                    throw .badReply(
                        operation: "DescribeStream", object: object,
                        why: "shard \(listed.shardId) has a sequence number that isn't 1 to 40 digits")
                }
                // A shard that closed between two pages is listed twice; the later word holds.
                if let place = places[shard.id] {
                    shards[place] = shard
                } else {
                    places[shard.id] = shards.count
                    shards.append(shard)
                }
            }
            guard let next = page.lastEvaluatedShardId else {
                return StreamDescription(status: page.streamStatus, viewType: page.streamViewType, shards: shards)
            }
            try checkProgress(from: last, to: next, .describeStream, object)
            last = next
        }
    }

    /// An iterator, good for 15 minutes.
    ///
    /// - Parameter number: for the two types that need one, and only for them.
    /// - Throws: an error that `isTrimmed` where the place has left the stream, and one that `isNotFound` where the
    ///   shard has.
    ///
    /// Source: API Reference (Streams), `GetShardIterator`.
    package func iterator(
        _ type: IteratorType, at number: SequenceNumber?, shard: ShardKey, onFailure: @escaping FailureObserver = {}
    ) async throws(DynamoDBError) -> ShardIterator {
        var body = RequestBody()
        body.add("StreamArn", shard.stream.text)
        body.add("ShardId", shard.shard.text)
        body.add("ShardIteratorType", type.rawValue)
        switch type {
        case .atSequenceNumber, .afterSequenceNumber:
            guard let number else { preconditionFailure("\(type.rawValue) needs a sequence number") }
            body.add("SequenceNumber", number.text)
        case .trimHorizon, .latest: break
        }
        let reply = try await decode(
            GetShardIteratorReply.self, .getShardIterator, "shard \(shard)", body, onFailure)
        return ShardIterator(reply.shardIterator)
    }

    /// Reads the records at `iterator`: at most 1000, and at most 1 MB. None does not mean the end of the shard.
    ///
    /// - Throws: an error that `isExpiredIterator` 15 minutes after it was issued: get one from the last sequence
    ///   number. One that `isTrimmed` where the records have passed 24 hours: they are gone.
    ///
    /// Source: API Reference (Streams), `GetRecords`.
    package func records(at iterator: ShardIterator, limit: Int = 1000) async throws(DynamoDBError) -> Page {
        try await rawRecords(at: iterator, limit: limit).parsed()
    }

    /// The same in two steps, so that the next page can be asked for before this one is parsed.
    ///
    /// - Parameter onNext: told of the next iterator, and of the page's length in bytes, while the page is still on its way;
    ///   not called where the reply doesn't begin with it. May be called again by a second try.
    package func rawRecords(
        at iterator: ShardIterator, limit: Int = 1000, onFailure: @escaping FailureObserver = {},
        onNext: @escaping @Sendable (ShardIterator, Int) -> Void = { _, _ in }
    ) async throws(DynamoDBError) -> RawPage {
        var body = RequestBody()
        body.add("ShardIterator", iterator.token)
        body.add("Limit", limit)
        let object = "iterator \(iterator)"
        // Whoever takes the page parses it, while the next one is on its way.
        let onBeginning: HTTPRequest.BeginningObserver = { bytes, length in
            if let length, let next = IteratorHint.find(inBeginning: bytes) { onNext(next, length) }
        }
        let reply = try await caller.call(
            .getRecords, of: object, body, onBeginning: onBeginning, onFailure: onFailure
        ) { $0 }
        return RawPage(body: reply, hintedNext: IteratorHint.find(in: reply), object: object)
    }

    /// Offers the memory of a page's body, which its caller has done with, to the next one.
    package func giveBack(_ body: [UInt8]) { transport.giveBack(body) }

    // MARK: -

    func call<Answer: Sendable>(
        _ operation: Operation, of object: String, _ body: RequestBody, onUnknown: UnknownObserver? = nil,
        _ read: @Sendable ([UInt8]) throws(UnreadableReply) -> Answer
    ) async throws(DynamoDBError) -> Answer {
        try await caller.call(operation, of: object, body, onUnknown: onUnknown, read)
    }

    /// Waits as after a throttled call, for what a call that succeeded has left undone; `false` once that was often enough.
    func pause(afterThrottles attempts: Int) async throws(DynamoDBError) -> Bool {
        try await caller.pause(afterThrottles: attempts)
    }

    func decode<Reply: Decodable & Sendable>(
        _ type: Reply.Type, _ operation: Operation, _ object: String, _ body: RequestBody,
        _ onFailure: FailureObserver? = nil
    ) async throws(DynamoDBError) -> Reply {
        try await caller.call(operation, of: object, body, onFailure: onFailure) { bytes throws(UnreadableReply) in
            do {
                return try JSONDecoder.controlReplies.decode(type, from: Data(bytes))
            } catch let error as DecodingError {
                throw UnreadableReply(why: Self.reason(error))
            } catch {
                throw UnreadableReply(why: "\(error)")
            }
        }
    }

    private static func reason(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "it has no \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")) isn't what it should be"
        default: "it isn't JSON"
        }
    }

    /// A listing that goes on from where it just went on from would never end.
    func checkProgress(
        from last: String?, to next: String?, _ operation: Operation, _ object: String
    ) throws(DynamoDBError) {
        guard last != nil, last == next else { return }
        throw .badReply(
            operation: operation.rawValue, object: object, why: "the listing doesn't go on from \(last ?? "")")
    }
}
