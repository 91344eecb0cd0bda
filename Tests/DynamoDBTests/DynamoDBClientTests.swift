import Curl
import Filter
import Simdjson
import StreamModel
import Synchronization
import Testing

@testable import DynamoDB

@Suite("The client")
struct DynamoDBClientTests {
    private static let tables = #"{"TableNames":["a"]}"#

    private static func refusal(_ code: String) -> String {
        #"{"__type":"com.amazonaws.dynamodb.v20120810#\#(code)","message":"said so"}"#
    }

    // MARK: Retries

    @Test(
        "What may pass is tried again, over the same connection",
        arguments: [
            ("ThrottlingException", 400), ("ProvisionedThroughputExceededException", 400),
            ("LimitExceededException", 400),
            ("InternalServerError", 500),
        ])
    func retries(code: String, status: Int) async throws {
        let server = TestServer { _, before in
            before < 3 ? .respond(status: status, body: Self.refusal(code)) : .respond(body: Self.tables)
        }
        let client = try Sample.client(server)
        #expect(try await client.listTables() == [TableName("a")])
        #expect(server.requests.count == 4)
        #expect(server.connections == 1)
        await client.shutdown()
    }

    @Test(
        "What can't pass is asked once",
        arguments: [
            "ValidationException", "ResourceNotFoundException", "AccessDeniedException", "ExpiredIteratorException",
        ])
    func permanent(code: String) async throws {
        let server = TestServer { _, _ in
            .respond(status: 400, headers: ["x-amzn-RequestId": "REQ"], body: Self.refusal(code))
        }
        let client = try Sample.client(server)
        let error = await #expect(throws: DynamoDBError.self) { try await client.describeTable(TableName("t")) }
        #expect(
            error
                == .service(
                    code: code, message: "said so", status: 400, operation: "DescribeTable", object: "table t",
                    requestID: "REQ"))
        #expect(server.requests.count == 1)
        await client.shutdown()
    }

    @Test("Each try that fails is told to whoever asked, and to nobody else")
    func failuresTold() async throws {
        let server = TestServer { _, before in
            before < 3 ? .respond(status: 500, body: "") : .respond(body: #"{"ShardIterator":"i","Records":[]}"#)
        }
        let client = try Sample.client(server)
        let (first, second) = (FailedTries(), FailedTries())
        _ = try await client.iterator(.trimHorizon, at: nil, shard: Sample.shard) { first.add() }
        _ = try await client.rawRecords(at: ShardIterator("i"), onFailure: { second.add() })
        #expect((first.count, second.count) == (3, 0))
        await client.shutdown()
    }

    @Test("Attempts end, with the last error")
    func bounded() async throws {
        let server = TestServer { _, _ in .respond(status: 503, body: "<html>down</html>") }
        let client = try Sample.client(server)
        let error = await #expect(throws: DynamoDBError.self) { try await client.listTables() }
        #expect(error?.code == "503" && error?.isRetryable == true)
        #expect(error.map { "\($0)".contains("<html>down</html>") } == true)
        #expect(server.requests.count == 10)
        await client.shutdown()
    }

    @Test(
        "What isn't the service's answer, or was damaged on its way, is asked for again",
        arguments: [
            TestServer.Answer.respond(body: "<html>log in</html>"), .respond(body: ""),
            .respond(body: String(DynamoDBClientTests.tables.dropLast(2))),
            .respond(headers: ["x-amz-crc32": "1"], body: DynamoDBClientTests.tables),
            .bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Tab"), .bytes(""), .bytes("nonsense\r\n"),
            .respond(status: 400, body: String(DynamoDBClientTests.refusal("ExpiredIteratorException").dropLast(2))),
            .respond(
                status: 400, headers: ["x-amz-crc32": "1"], body: DynamoDBClientTests.refusal("ValidationException")),
        ])
    func badReplies(answer: TestServer.Answer) async throws {
        let server = TestServer { _, before in before < 2 ? answer : .respond(body: Self.tables) }
        let client = try Sample.client(server)
        #expect(try await client.listTables() == [TableName("a")])
        await client.shutdown()
    }

    @Test("A right checksum is right, and a reply that stays wrong is named")
    func checksum() async throws {
        let sum = CRC32.checksum(Array(Self.tables.utf8))
        let server = TestServer { _, before in
            .respond(headers: ["X-Amz-Crc32": "\(before == 0 ? sum : sum ^ 1)"], body: Self.tables)
        }
        let client = try Sample.client(server)
        #expect(try await client.listTables() == [TableName("a")])
        let error = await #expect(throws: DynamoDBError.self) { try await client.listTables() }
        #expect(error == .badReply(operation: "ListTables", object: "the account", why: "its checksum is wrong"))
        await client.shutdown()
    }

    @Test("Cancelling ends the wait between two attempts at once")
    func cancelledWait() async throws {
        let server = TestServer { _, _ in .respond(status: 500, body: "") }
        var policy = RetryPolicy()
        policy.base = .seconds(3600)
        policy.throttleBase = .seconds(3600)
        policy.cap = .seconds(7200)
        let client = try Sample.client(server, retry: policy)
        let task = Task { try await client.listTables() }
        for await _ in server.arrivals { break }
        task.cancel()
        await #expect(throws: DynamoDBError.cancelled) { try await task.value }
        await client.shutdown()
    }

    @Test("Cancelling ends a call that waits for its answer at once")
    func cancelledCall() async throws {
        let server = TestServer { _, _ in .silence }
        let client = try Sample.client(server)
        let task = Task { try await client.rawRecords(at: ShardIterator("i")) }
        for await _ in server.arrivals { break }
        task.cancel()
        await #expect(throws: DynamoDBError.cancelled) { try await task.value }
        #expect(server.requests.count == 1)
        await client.shutdown()
    }

    @Test("A server that never answers is unreachable, and the error names it and the operation")
    func silent() async throws {
        let server = TestServer { _, _ in .silence }
        var http = HTTPSettings()
        http.totalTimeout = .milliseconds(50)
        var policy = Sample.quickRetries
        policy.maximumAttempts = 2
        let client = try Sample.client(server, retry: policy, http: http)
        let error = await #expect(throws: DynamoDBError.self) { try await client.listTables() }
        #expect(error.map { "\($0)".hasPrefix("ListTables: no answer from \(server.url)/: timed out: ") } == true)
        #expect(server.requests.count == 2)
        await client.shutdown()
    }

    // MARK: Signing

    @Test("A refused key is looked up anew, once, and the call repeated with the new one")
    func refresh() async throws {
        let server = TestServer { request, _ in
            request.headers["authorization"]?.contains("Credential=NEW/") == true
                ? .respond(body: Self.tables) : .respond(status: 400, body: Self.refusal("UnrecognizedClientException"))
        }
        let old = Credentials(accessKeyID: "OLD", secretAccessKey: "s", sessionToken: "t")
        let new = Credentials(accessKeyID: "NEW", secretAccessKey: "s")
        let client = try Sample.client(server, providers: [FixedCredentials([old, new])])
        #expect(try await client.listTables() == [TableName("a")])
        #expect(server.requests.map { $0.headers["x-amz-security-token"] } == ["t", nil])
        #expect(try await client.listTables() == [TableName("a")])
        #expect(server.requests.count == 3, "the new key is kept")

        let stale = try Sample.client(server, providers: [FixedCredentials([old])])
        let error = await #expect(throws: DynamoDBError.self) { try await stale.listTables() }
        #expect(error?.code == "UnrecognizedClientException" && error?.exitCode == 77)
        #expect(server.requests.count == 4, "the same key isn't tried again")
        await client.shutdown()
        await stale.shutdown()
    }

    @Test("A clock that is off is set by the service's, once, and stays set")
    func skew() async throws {
        let server = TestServer { request, _ in
            request.headers["x-amz-date"]?.hasPrefix("20400101T") == true
                ? .respond(body: Self.tables)
                : .respond(
                    status: 400, headers: ["Date": "Sun, 01 Jan 2040 12:00:00 GMT"],
                    body:
                        #"{"__type":"x#InvalidSignatureException","message":"Signature expired: a is now earlier than b"}"#
                )
        }
        let client = try Sample.client(server)
        #expect(try await client.listTables() == [TableName("a")])
        #expect(try await client.listTables() == [TableName("a")])
        #expect(server.requests.count == 3)
        await client.shutdown()
    }

    @Test("What the service's clock is ahead is read from the reply that brings an iterator")
    func clockLead() async throws {
        let server = TestServer { _, _ in
            .respond(headers: ["Date": "Sun, 01 Jan 2040 12:00:00 GMT"], body: #"{"ShardIterator":"i"}"#)
        }
        let client = try Sample.client(server)
        #expect(client.clockLead == .zero)
        let shard = ShardKey(table: TableName("t"), stream: StreamARN("s"), shard: ShardID("a"))
        _ = try await client.iterator(.latest, at: nil, shard: shard)
        let there = Timestamp.now() + client.clockLead
        let said = try #require(Timestamp("2040-01-01T12:00:00Z"))
        #expect(there >= said && there - said < .seconds(60))
        await client.shutdown()
    }

    @Test("A request is one that DynamoDB takes: target, type, signed headers, identity encoding")
    func request() async throws {
        let server = TestServer { _, _ in .respond(body: #"{"Records":[],"NextShardIterator":"n"}"#) }
        let client = try Sample.client(server)
        _ = try await client.records(at: ShardIterator("i\"j"), limit: 7)
        let request = try #require(server.requests.first)
        #expect(request.line == "POST / HTTP/1.1")
        #expect(request.headers["x-amz-target"] == "DynamoDBStreams_20120810.GetRecords")
        #expect(request.headers["content-type"] == "application/x-amz-json-1.0")
        #expect(request.headers["accept-encoding"] == "identity")
        #expect(request.headers["host"] == "127.0.0.1:\(server.port)")
        #expect(
            request.headers["authorization"]?.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-target")
                == true)
        #expect(request.body == #"{"ShardIterator":"i\"j","Limit":7}"#)
        await client.shutdown()
    }

    @Test("Without credentials nothing is sent")
    func noCredentials() async throws {
        let server = TestServer { _, _ in .respond(body: Self.tables) }
        let client = try Sample.client(server, providers: [EnvironmentCredentials([:])])
        let error = await #expect(throws: DynamoDBError.self) { try await client.listTables() }
        #expect(error.map { "\($0)".contains("AWS_ACCESS_KEY_ID=local") } == true)
        #expect(server.requests.isEmpty)
        await client.shutdown()
    }

    // MARK: Tables

    @Test("A table's keys, stream and size are read")
    func describeTable() async throws {
        let server = TestServer { _, _ in
            .respond(
                body: #"""
                    {"Table":{"TableName":"t","TableStatus":"ACTIVE","ItemCount":12,"TableSizeBytes":3456,"Unknown":{"TableName":1},
                    "KeySchema":[{"AttributeName":"sk","KeyType":"RANGE"},{"AttributeName":"p\u00e9","KeyType":"HASH"}],
                    "AttributeDefinitions":[{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"pe\u0301","AttributeType":"B"},
                    {"AttributeName":"p\u00e9","AttributeType":"S"}],
                    "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"},"LatestStreamArn":"arn:x"}}
                    """#)
        }
        let client = try Sample.client(server)
        let table = try await client.describeTable(TableName("t"))
        #expect(
            table.schema.hash == KeyAttribute(name: Array("p\u{E9}".utf8), type: .string),
            "by bytes, not by canonical form")
        #expect(table.schema.range == KeyAttribute(name: Array("sk".utf8), type: .number))
        #expect(table.stream == StreamARN("arn:x") && table.streamEnabled && table.viewType == "NEW_IMAGE")
        #expect(table.itemCount == 12 && table.tableSizeBytes == 3456 && table.status == "ACTIVE")
        await client.shutdown()
    }

    @Test("A table without a stream has none")
    func noStream() async throws {
        let server = TestServer { _, _ in
            .respond(
                body:
                    #"{"Table":{"TableName":"t","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"k","AttributeType":"B"}]}}"#
            )
        }
        let client = try Sample.client(server)
        let table = try await client.describeTable(TableName("t"))
        #expect(
            table.stream == nil && !table.streamEnabled && table.schema.range == nil
                && table.schema.hash.type == .binary)
        await client.shutdown()
    }

    @Test(
        "A reply that isn't a table's is named",
        arguments: [
            (#"{}"#, "it has no table"), (#"{"Table":{"TableName":"t"}}"#, "it has no keySchema"),
            (#"{"Table":7}"#, "table isn't what it should be"),
            (
                #"{"Table":{"TableName":"t","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"AttributeDefinitions":[]}}"#,
                "its key schema isn't one"
            ),
            ("{\"Table\":", "it isn't JSON"),
        ])
    func badTable(body: String, why: String) async throws {
        let server = TestServer { _, _ in .respond(body: body) }
        let client = try Sample.client(server)
        await #expect(throws: DynamoDBError.badReply(operation: "DescribeTable", object: "table t", why: why)) {
            try await client.describeTable(TableName("t"))
        }
        await client.shutdown()
    }

    @Test("A stream is enabled with both images, and a refusal that says it is so already is told from others")
    func enableStream() async throws {
        let expected =
            #"{"TableName":"t","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#
        let server = TestServer { request, before in
            guard request.body == expected, request.headers["x-amz-target"] == "DynamoDB_20120810.UpdateTable" else {
                return .respond(status: 400, body: Self.refusal("ValidationException"))
            }
            // Done, and the answer was lost; asked again, it is so already.
            return before == 0
                ? .respond(status: 500, body: Self.refusal("InternalServerError"))
                : .respond(status: 400, body: Self.refusal("ResourceInUseException"))
        }
        let client = try Sample.client(server)
        let error = await #expect(throws: DynamoDBError.self) { try await client.enableStream(of: TableName("t")) }
        #expect(error?.isInUse == true && error?.isDenied == false && error?.isRetryable == false)
        #expect(server.requests.count == 2)
        await client.shutdown()

        let willing = TestServer { _, _ in .respond(body: #"{"TableDescription":{"TableStatus":"UPDATING"}}"#) }
        let other = try Sample.client(willing)
        try await other.enableStream(of: TableName("t"))
        #expect(willing.requests.map(\.body) == [expected])
        await other.shutdown()
    }

    @Test("All pages of the table list are read, and one that goes round in circles isn't")
    func listTables() async throws {
        let server = TestServer { request, _ in
            switch request.body {
            case "{}": .respond(body: #"{"TableNames":["a","b"],"LastEvaluatedTableName":"b"}"#)
            case #"{"ExclusiveStartTableName":"b"}"#: .respond(body: #"{"TableNames":["c"]}"#)
            default: .respond(status: 400, body: "")
            }
        }
        let client = try Sample.client(server)
        #expect(try await client.listTables() == ["a", "b", "c"].map { TableName($0) })
        let endless = TestServer { _, _ in .respond(body: #"{"TableNames":["a"],"LastEvaluatedTableName":"a"}"#) }
        let other = try Sample.client(endless)
        await #expect(throws: DynamoDBError.self) { try await other.listTables() }
        await client.shutdown()
        await other.shutdown()
    }

    @Test("A scan goes on from the key as it arrived, byte by byte")
    func scan() async throws {
        let key = #"{ "pk" : {"S":"b\u00e9\/"} }"#
        let consumed = #""ConsumedCapacity":{"TableName":"t","CapacityUnits":128.5}"#
        let server = TestServer { request, _ in
            request.body.contains("ExclusiveStartKey")
                ? .respond(body: #"{"Items":[],"Count":0}"#)
                : .respond(body: #"{"Items":[{"pk":{"S":"a"}}],"Count":1,\#(consumed),"LastEvaluatedKey":\#(key)}"#)
        }
        let client = try Sample.client(server)
        let page = try await client.scan(Sample.schema, segment: 2, of: 8, after: nil, consistent: true, limit: 5)
        #expect(page.changes.count == 1 && page.lastEvaluatedKey == Array(key.utf8))
        #expect(page.capacityUnits == 128.5)
        let last = try await client.scan(
            Sample.schema, segment: 2, of: 8, after: page.lastEvaluatedKey, consistent: false, limit: nil)
        #expect(last.changes.isEmpty && last.lastEvaluatedKey == nil && last.capacityUnits == nil)
        #expect(
            server.requests.map(\.body) == [
                #"{"TableName":"t","Segment":2,"TotalSegments":8,"ConsistentRead":true,"Limit":5,"ReturnConsumedCapacity":"TOTAL"}"#,
                #"{"TableName":"t","Segment":2,"TotalSegments":8,"ReturnConsumedCapacity":"TOTAL","ExclusiveStartKey":\#(key)}"#,
            ])
        await client.shutdown()
    }

    @Test("A scan is sent its filter, and a page of which nothing is left is not the last")
    func filteredScan() async throws {
        let server = TestServer { _, _ in
            .respond(body: #"{"Items":[],"Count":0,"ScannedCount":5,"LastEvaluatedKey":{"pk":{"S":"a"}}}"#)
        }
        let client = try Sample.client(server)
        var placeholders = try Placeholders(names: ##"{"#s":"st\"atus"}"##, values: #"{":v":{"S":"é"},":w":{"N":"1"}}"#)
        let filter = try ItemFilter("#s = :v", &placeholders)
        let plain = try ItemFilter("attribute_exists(a)", &placeholders)
        for filter in [filter, plain] {
            let page = try await client.scan(
                Sample.schema, segment: 0, of: 1, after: nil, consistent: false, filter: filter, limit: nil)
            #expect(page.changes.isEmpty && page.lastEvaluatedKey != nil)
        }
        let head =
            #"{"TableName":"t","Segment":0,"TotalSegments":1,"ReturnConsumedCapacity":"TOTAL","FilterExpression":"#
        #expect(
            server.requests.map(\.body) == [
                head
                    + ##""#s = :v","ExpressionAttributeNames":{"#s":"st\"atus"},"ExpressionAttributeValues":{":v":{"S":"é"}}}"##,
                head + #""attribute_exists(a)"}"#,
            ])
        await client.shutdown()
    }

    // MARK: Streams

    @Test("All pages of a stream's shards are read, each shard once, as it was listed last")
    func describeStream() async throws {
        let server = TestServer { request, _ in
            request.body.contains("ExclusiveStartShardId")
                ? .respond(
                    body:
                        #"{"StreamDescription":{"StreamStatus":"ENABLED","StreamViewType":"NEW_IMAGE","Shards":[{"ShardId":"b","ParentShardId":"a","SequenceNumberRange":{"StartingSequenceNumber":"3","EndingSequenceNumber":"9"}},{"ShardId":"c","ParentShardId":"gone","SequenceNumberRange":{"StartingSequenceNumber":"10"}}]}}"#
                )
                : .respond(
                    body:
                        #"{"StreamDescription":{"StreamStatus":"ENABLED","Shards":[{"ShardId":"a","SequenceNumberRange":{"StartingSequenceNumber":"1","EndingSequenceNumber":"2"}},{"ShardId":"b","ParentShardId":"a","SequenceNumberRange":{"StartingSequenceNumber":"3"}}],"LastEvaluatedShardId":"b"}}"#
                )
        }
        let client = try Sample.client(server)
        let stream = try await client.describeStream(Sample.stream)
        func number(_ text: String) -> SequenceNumber? { SequenceNumber(text) }
        #expect(
            stream.shards == [
                Shard(id: ShardID("a"), parent: nil, range: SequenceRange(starting: number("1"), ending: number("2"))),
                Shard(
                    id: ShardID("b"), parent: ShardID("a"),
                    range: SequenceRange(starting: number("3"), ending: number("9"))),
                Shard(id: ShardID("c"), parent: ShardID("gone"), range: SequenceRange(starting: number("10"))),
            ])
        #expect(stream.status == "ENABLED" && stream.viewType == "NEW_IMAGE")
        #expect(server.requests.last?.body == #"{"StreamArn":"\#(Sample.stream)","ExclusiveStartShardId":"b"}"#)
        await client.shutdown()
    }

    @Test("A stream that is being switched on has no shards yet")
    func enabling() async throws {
        let server = TestServer { _, _ in .respond(body: #"{"StreamDescription":{"StreamStatus":"ENABLING"}}"#) }
        let client = try Sample.client(server)
        #expect(
            try await client.describeStream(Sample.stream)
                == StreamDescription(status: "ENABLING", viewType: nil, shards: []))
        await client.shutdown()
    }

    @Test("Children are those that name the parent, also where the filter isn't known, or refused")
    func children() async throws {
        let listing =
            #"{"StreamDescription":{"StreamStatus":"ENABLED","Shards":[{"ShardId":"a"},{"ShardId":"b","ParentShardId":"a"},{"ShardId":"c","ParentShardId":"b"}]}}"#
        let server = TestServer { request, before in
            before == 1 && request.body.contains("ShardFilter")
                ? .respond(status: 400, body: Self.refusal("ValidationException")) : .respond(body: listing)
        }
        let client = try Sample.client(server)
        for _ in 0..<2 {
            #expect(try await client.children(of: ShardID("a"), in: Sample.stream).map(\.id) == [ShardID("b")])
        }
        #expect(server.requests[0].body.contains(#""ShardFilter":{"Type":"CHILD_SHARDS","ShardId":"a"}"#))
        #expect(!server.requests[2].body.contains("ShardFilter"))
        await client.shutdown()
    }

    @Test("An iterator is asked for with a sequence number exactly where its type has one")
    func iterators() async throws {
        let server = TestServer { _, _ in .respond(body: #"{"ShardIterator":"i"}"#) }
        let client = try Sample.client(server)
        let number = SequenceNumber("00020500000000000000910398")
        for type in IteratorType.allCases {
            #expect(try await client.iterator(type, at: number, shard: Sample.shard) == ShardIterator("i"))
        }
        let place = #"{"StreamArn":"\#(Sample.stream)","ShardId":"\#(Sample.shard.shard)","ShardIteratorType":"#
        #expect(
            server.requests.map(\.body) == [
                place + #""TRIM_HORIZON"}"#, place + #""LATEST"}"#,
                place + #""AT_SEQUENCE_NUMBER","SequenceNumber":"00020500000000000000910398"}"#,
                place + #""AFTER_SEQUENCE_NUMBER","SequenceNumber":"00020500000000000000910398"}"#,
            ])
        await client.shutdown()
    }

    @Test("A page comes raw with a hint, and parsed with the truth; garbage never ends a shard")
    func records() async throws {
        let page = Reply().text
        let server = TestServer { _, before in .respond(body: before == 0 ? page : "{}") }
        let client = try Sample.client(server)
        let raw = try await client.rawRecords(at: ShardIterator("i"))
        #expect(raw.hintedNext == ShardIterator("AAAA") && raw.body == Array(page.utf8))
        let parsed = try raw.parsed()
        #expect(parsed.changes.count == 1 && parsed.next == ShardIterator("AAAA"))
        let error = await #expect(throws: DynamoDBError.self) { try await client.records(at: ShardIterator("i")) }
        #expect(error == .badReply(operation: "GetRecords", object: "iterator i", why: "a reply without Records"))
        await client.shutdown()
    }

    @Test("The next iterator of a long page is told before the page is whole, and of nothing but a page")
    func nextIsToldEarly() async throws {
        let long = #"{"NextShardIterator":"AAAA","Records":["# + String(repeating: " ", count: 8192) + "]}"
        let told = Mutex<[String]>([])
        let server = TestServer { _, before in
            before == 0
                ? .respond(status: 500, body: long)
                : .respond(body: before == 1 ? long : #"{"NextShardIterator":"BBBB","Records":[]}"#)
        }
        let client = try Sample.client(server)
        for _ in 1...2 {
            _ = try await client.rawRecords(
                at: ShardIterator("i"), onNext: { next, length in told.withLock { $0.append("\(next.token) of \(length)") } })
        }
        #expect(told.withLock { $0 } == ["AAAA of \(long.utf8.count)"], "neither of an error nor of a short page")
        await client.shutdown()
    }

    @Test("After shutdown a call is cancelled, not sent")
    func afterShutdown() async throws {
        let server = TestServer { _, _ in .respond(body: Self.tables) }
        let client = try Sample.client(server)
        await client.shutdown()
        await #expect(throws: DynamoDBError.cancelled) { try await client.listTables() }
        #expect(server.requests.isEmpty)
    }
}

private final class FailedTries: Sendable {
    private let told = Mutex(0)
    var count: Int { told.withLock { $0 } }
    func add() { told.withLock { $0 += 1 } }
}
