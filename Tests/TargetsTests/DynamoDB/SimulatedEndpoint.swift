import Curl
import Foundation
import StreamModel
import Synchronization
import Targets

@testable import DynamoDBTarget
@testable import StreamSim

/// A DynamoDB in this process, and the network before it: it can lose answers, and hold effects back until later.
final class SimulatedEndpoint: HTTPTransport {
    /// What becomes of one request.
    enum Course {
        case normal
        /// It fails with this, and is never done.
        case fails(CurlError)
        /// It times out, and is done so much later.
        case late(Duration)
        /// It is done, and its answer is lost.
        case answerLost
        case answers(status: Int, body: String)
    }

    let clock: LeapingClock
    private let state: Mutex<State>

    private struct State {
        var simulator: Simulator
        var course: @Sendable (_ action: String, _ body: String) -> Course = { _, _ in .normal }
        var held: [(due: Int64, request: HTTPRequest)] = []
        var heldDone = 0
        var onRole: @Sendable (Int) -> String = { _ in "<Code>AccessDenied</Code>" }
        var rolesAssumed: [String] = []
        var keysUsed: [String] = []
        var requests: [(action: String, body: String)] = []
    }

    init(seed: UInt64 = 1, clock: LeapingClock = LeapingClock()) {
        self.clock = clock
        var simulator = Simulator(seed: seed)
        simulator.settings.itemsOfAPage = 3
        state = Mutex(State(simulator: simulator))
    }

    // MARK: Setting up, and looking

    func set(_ change: (inout Settings) -> Void) { state.withLock { change(&$0.simulator.settings) } }

    func follow(_ course: @escaping @Sendable (_ action: String, _ body: String) -> Course) {
        state.withLock { $0.course = course }
    }

    /// Bodies of the requests of an action, in order.
    func bodies(of action: String) -> [String] {
        state.withLock { $0.requests.filter { $0.action == action }.map(\.body) }
    }

    /// The first call of one of these times out, and is done so much later.
    func delayFirst(of actions: Set<String>, by delay: Duration) {
        let isFirst = Mutex(true)
        follow { action, _ in
            guard actions.contains(action) else { return .normal }
            return isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst ? .late(delay) : .normal
            }
        }
    }

    var effectsThatCameLate: Int { state.withLock { $0.heldDone } }

    private static func catchUp(_ state: inout State, to time: Int64) {
        let due = state.held.filter { $0.due <= time }.sorted { $0.due < $1.due }
        state.held.removeAll { $0.due <= time }
        for (moment, request) in due { _ = answer(request, &state, at: moment) }
        state.heldDone += due.count
    }

    /// What STS answers to the n-th that asks.
    var onRole: @Sendable (Int) -> String {
        get { state.withLock { $0.onRole } }
        set { state.withLock { $0.onRole = newValue } }
    }
    var rolesAssumed: [String] { state.withLock { $0.rolesAssumed } }
    /// By which DynamoDB was asked, each once.
    var keysUsed: [String] { state.withLock { $0.keysUsed } }

    func makeTable(_ name: String, key: String) {
        ask(
            "CreateTable",
            """
            {"TableName":"\(name)","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"\(key)","KeyType":"HASH"}],
            "AttributeDefinitions":[{"AttributeName":"\(key)","AttributeType":"S"}]}
            """)
    }

    /// As some other client asks.
    @discardableResult
    func ask(_ action: String, _ body: String) -> (status: Int, body: String) {
        state.withLock { state in
            Self.catchUp(&state, to: time)
            let reply = state.simulator.answer(
                Request(target: "DynamoDB_20120810.\(action)", body: Array(body.utf8)), at: time)
            return (reply.status, String(decoding: reply.body, as: UTF8.self))
        }
    }

    func items(of table: String) throws -> [WireValue] {
        try state.withLock { state in
            Self.catchUp(&state, to: time)
            return state.simulator.items(of: Text(table))
        }.map { try .item(Data($0.json.bytes)) }
    }

    // MARK: Asking

    func perform(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
        let action = request.action
        let result: Result<HTTPResponse, CurlError> = state.withLock { state in
            Self.catchUp(&state, to: time)
            let body = String(decoding: request.body, as: UTF8.self)
            guard !action.isEmpty else {
                state.rolesAssumed.append(body)
                let reply = state.onRole(state.rolesAssumed.count)
                return .success(
                    HTTPResponse(
                        status: reply.contains("<Code>") ? 403 : 200, headers: [], body: Self.roomy(Array(reply.utf8))))
            }
            let key = request.headers["authorization"]?.split(separator: "/").first?.split(separator: "=").last
            if let key = key.map(String.init), state.keysUsed.last != key { state.keysUsed.append(key) }
            state.requests.append((action, body))
            switch state.course(action, body) {
            case .normal: return .success(Self.answer(request, &state, at: time))
            case .fails(let error): return .failure(error)
            case .late(let delay):
                state.held.append((time + Int64(delay / .microseconds(1)), request))
                return .failure(.timedOut(reason: "nothing came"))
            case .answerLost:
                _ = Self.answer(request, &state, at: time)
                return .failure(.broken(reason: "reset"))
            case .answers(let status, let body):
                return .success(HTTPResponse(status: status, headers: [], body: Self.roomy(Array(body.utf8))))
            }
        }
        await Task.yield()
        return try result.get()
    }

    func giveBack(_ body: [UInt8]) {}
    func shutdown() async {}

    private var time: Int64 { clock.timestamp.microseconds }

    private static func answer(_ request: HTTPRequest, _ state: inout State, at time: Int64) -> HTTPResponse {
        let reply = state.simulator.answer(Request(target: request.target, body: request.body), at: time)
        return HTTPResponse(status: reply.status, headers: [], body: roomy(reply.body))
    }

    private static func roomy(_ body: [UInt8]) -> [UInt8] {
        var body = body
        body.reserveCapacity(body.count + HTTPEngine.spareBytes)
        return body
    }
}

extension HTTPRequest {
    fileprivate var target: String { headers.first { $0.name == "x-amz-target" }?.value ?? "" }
    fileprivate var action: String { String(target.split(separator: ".").last ?? "") }
}

extension SimulatedEndpoint {
    static let environment = [
        "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "localsecret", "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_ENDPOINT_URL_STS": "http://localhost:9000",
    ]

    /// A target there.
    func target(
        _ options: [(String, String)] = [], existing: ExistingPolicy = .refuse, source: TargetRequest.Source? = nil
    ) throws -> DynamoDBTarget {
        let all = [("region", "eu-west-1"), ("endpoint", "http://localhost:8000")] + options
        return try DynamoDBTarget.make(
            TargetRequest(
                url: "dynamodb:", rest: "", existing: existing,
                options: TargetOptions(
                    all.map { TargetOptions.Entry(path: $0.0.split(separator: "/").map(String.init), value: $0.1) }),
                environment: Self.environment, source: source),
            transport: self, surroundings: clock.surroundings)
    }
}
