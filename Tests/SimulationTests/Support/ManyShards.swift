import Curl
import Foundation
import Simulation
import Synchronization

/// DynamoDB's network interface for one table with more shards than a page of a listing holds, of which each has few records.
///
/// DescribeStream brings 100 shards a page at most and may be called ten times a second (API Reference), also by the same client.
final class ManyShards: HTTPTransport {
    static let table = "orders"
    static let stream = "arn:aws:dynamodb:us-east-1:1:table/orders/stream/2026-11-23T00:00:00.000"

    private struct Shard {
        var parent: String?
        var records: [Int]
        var isClosed = false
    }

    private struct State {
        var shards: [String: Shard] = [:]
        var brokenPage: Int?
        var tokens = ManyShards.rate
        var refilled = Duration.zero
        var throttled = 0
        var listings = 0
        var pageRecords = Int.max
        var lifetime: Duration?
        var reads: [Duration] = []
        var expired = 0
        var bytes = 0
        var isSilent = false
        var onlyRefused: String?
        var connections = 0
    }

    private static let rate = 10.0

    private let conductor: Conductor
    private let state = Mutex(State())

    init(_ conductor: Conductor) { self.conductor = conductor }

    // MARK: - The script

    static func name(_ index: Int, generation: Int = 0) -> String {
        "shardId-\(generation)-\(String(1_000_000 + index).dropFirst())"
    }

    func add(_ name: String, parent: String? = nil, _ records: Int...) {
        state.withLock { $0.shards[name] = Shard(parent: parent, records: records) }
    }
    func put(_ record: Int, in name: String) { state.withLock { $0.shards[name]?.records.append(record) } }
    func close(_ name: String) { state.withLock { $0.shards[name]?.isClosed = true } }
    /// This page of each whole listing fails, counted from 1.
    func breakPage(_ number: Int?) { state.withLock { $0.brokenPage = number } }

    /// Calls of GetRecords are accepted and not answered, as many at a time as the engine has connections.
    func fallSilent() { state.withLock { $0.isSilent = true } }

    /// Calls of GetRecords of this shard are refused at once, and those of all others come to no end, as if they were lost on the way.
    func refuseOnly(_ name: String) { state.withLock { $0.onlyRefused = name } }

    /// DescribeStream calls that were one too many.
    var throttled: Int { state.withLock { $0.throttled } }
    /// First pages of whole listings.
    var listings: Int { state.withLock { $0.listings } }

    /// So many records a page has at most.
    func cutPages(to records: Int) { state.withLock { $0.pageRecords = records } }
    /// Iterators are dead when they are so old.
    func expireIterators(after lifetime: Duration) { state.withLock { $0.lifetime = lifetime } }

    /// When each call of GetRecords came.
    var reads: [Duration] { state.withLock { $0.reads } }
    /// Of the second in which most came, wherever it begins.
    var mostReadsInASecond: Int {
        let reads = reads
        var (first, most) = (0, 0)
        for last in reads.indices {
            while reads[last] - reads[first] >= .seconds(1) { first += 1 }
            most = max(most, last - first + 1)
        }
        return most
    }
    /// Calls with an iterator that was too old.
    var expired: Int { state.withLock { $0.expired } }
    /// Of all pages that had records.
    var bytes: Int { state.withLock { $0.bytes } }

    // MARK: - HTTPTransport

    func perform(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
        do { try await conductor.sleep(until: conductor.now + .milliseconds(5)) } catch { throw .cancelled }
        let asked = (try? JSONSerialization.jsonObject(with: Data(request.body))) as? [String: Any] ?? [:]
        let operation = request.headers["x-amz-target"]?.split(separator: ".").last ?? ""
        if operation == "GetRecords", state.withLock({ $0.isSilent }) { try await hold() }
        if operation == "GetRecords", let refused = state.withLock({ $0.onlyRefused }) {
            guard (asked["ShardIterator"] as? String)?.hasPrefix(refused + "|") == true else {
                while true {
                    do { try await conductor.sleep(until: conductor.now + .seconds(1000)) } catch { throw .cancelled }
                }
            }
            return Self.response(Self.error("InternalServerError", 500))
        }
        let now = conductor.now
        let (status, reply) = state.withLock { Self.answer(String(operation), asked, &$0, now) }
        return Self.response((status, reply))
    }

    private static func response(_ answer: (status: Int, reply: String)) -> HTTPResponse {
        var body = Array(answer.reply.utf8)
        body.reserveCapacity(body.count + HTTPEngine.spareBytes)
        return HTTPResponse(status: answer.status, headers: [], body: body)
    }

    /// As the engine does with a peer that says nothing.
    private func hold() async throws(CurlError) {
        let settings = HTTPSettings()
        func isGranted() -> Bool {
            state.withLock { state in
                guard state.connections < settings.maximumTransfers else { return false }
                state.connections += 1
                return true
            }
        }
        do {
            while !isGranted() { try await conductor.sleep(until: conductor.now + .seconds(1)) }
        } catch { throw .cancelled }
        defer { state.withLock { $0.connections -= 1 } }
        do { try await conductor.sleep(until: conductor.now + settings.stallTimeout) } catch { throw .cancelled }
        throw .timedOut(reason: "the test wants it")
    }

    func giveBack(_ body: [UInt8]) {}
    func shutdown() async {}

    private static func answer(
        _ operation: String, _ asked: [String: Any], _ state: inout State, _ now: Duration
    ) -> (Int, String) {
        switch operation {
        case "DescribeTable":
            return (
                200,
                #"""
                {"Table":{"TableName":"\#(table)","TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],\#
                "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"LatestStreamArn":"\#(stream)",\#
                "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}}
                """#
            )
        case "DescribeStream": return listing(asked, &state, now)
        case "GetShardIterator":
            let name = asked["ShardId"] as? String ?? ""
            let number = (asked["SequenceNumber"] as? String).flatMap { Int($0) } ?? 0
            guard let shard = state.shards[name] else { return error("ResourceNotFoundException") }
            let index = shard.records.firstIndex { $0 > number } ?? shard.records.count
            return (200, #"{"ShardIterator":"\#(name)|\#(index)|\#(now / .milliseconds(1))"}"#)
        case "GetRecords":
            let place = (asked["ShardIterator"] as? String ?? "").split(separator: "|")
            guard place.count == 3, let index = Int(place[1]), let issued = Double(place[2]),
                let shard = state.shards[String(place[0])]
            else { return error("ValidationException") }
            state.reads.append(now)
            if let lifetime = state.lifetime, now - .milliseconds(issued) > lifetime {
                state.expired += 1
                return error("ExpiredIteratorException")
            }
            let page = shard.records[index...].prefix(state.pageRecords)
            let records = page.map { record in
                #"""
                {"eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":1750000000,"Keys":{"id":{"S":"\#(record)"}},\#
                "NewImage":{"id":{"S":"\#(record)"}},"SequenceNumber":"\#(record)"}}
                """#
            }
            let isLast = shard.isClosed && page.endIndex == shard.records.count
            let next =
                isLast ? "" : #","NextShardIterator":"\#(place[0])|\#(page.endIndex)|\#(now / .milliseconds(1))""#
            let reply = #"{"Records":[\#(records.joined(separator: ","))]\#(next)}"#
            if !records.isEmpty { state.bytes += reply.utf8.count }
            return (200, reply)
        default: return error("UnknownOperationException")
        }
    }

    private static func listing(_ asked: [String: Any], _ state: inout State, _ now: Duration) -> (Int, String) {
        let passed = now - state.refilled
        state.tokens = min(rate, state.tokens + rate * (passed / .seconds(1)))
        state.refilled = now
        guard state.tokens >= 1 else {
            state.throttled += 1
            return error("ThrottlingException")
        }
        state.tokens -= 1
        let parent = (asked["ShardFilter"] as? [String: Any])?["ShardId"] as? String
        let after = asked["ExclusiveStartShardId"] as? String
        let names = state.shards.keys.sorted()
        if parent == nil {
            if after == nil { state.listings += 1 }
            let page = names.count { $0 <= after ?? "" } / 100 + 1
            if page == state.brokenPage { return error("InternalServerError", 500) }
        }
        let left = names.filter { $0 > after ?? "" && (parent == nil || state.shards[$0]?.parent == parent) }
        let page = left.prefix(100).map { name in
            let shard = state.shards[name]
            let parent = shard?.parent.map { #","ParentShardId":"\#($0)""# } ?? ""
            let ending = shard?.isClosed == true ? #","EndingSequenceNumber":"\#(shard?.records.last ?? 1)""# : ""
            return #"{"ShardId":"\#(name)","SequenceNumberRange":{"StartingSequenceNumber":"1"\#(ending)}\#(parent)}"#
        }
        let next = left.count > 100 ? #","LastEvaluatedShardId":"\#(left[99])""# : ""
        return (
            200,
            #"{"StreamDescription":{"StreamStatus":"ENABLED","Shards":[\#(page.joined(separator: ","))]\#(next)}}"#
        )
    }

    private static func error(_ code: String, _ status: Int = 400) -> (Int, String) {
        (status, #"{"__type":"com.amazonaws.dynamodb.v20120810#\#(code)","message":"as the test wants it"}"#)
    }
}
