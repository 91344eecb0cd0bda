import Curl
import Foundation
import StreamModel
import Synchronization
import Targets

@testable import DynamoDBTarget

extension FaultCandidate {
    static let dynamoDB = dynamoDB(.wait)
    static let dynamoDBByTransactions = dynamoDB(.transaction)

    private static func dynamoDB(_ guarding: DynamoDBSettings.Guard) -> FaultCandidate {
        FaultCandidate(name: "dynamodb, guard: \(guarding.rawValue)") { SpoiltDynamoDB(guarding) }
    }
}

/// A service in this process, and a network that loses requests and answers. What is lost may be done later, in a moment of a clock
/// that leaps.
private final class SpoiltDynamoDB: FaultyServer {
    /// The client makes a call again whose outcome nobody knows.
    let isTriedAgainWithin = true
    private let guarding: DynamoDBSettings.Guard
    private let endpoint = SimulatedEndpoint()

    init(_ guarding: DynamoDBSettings.Guard) { self.guarding = guarding }

    private static let writes: Set = ["BatchWriteItem", "TransactWriteItems"]

    func make(_ scratch: Scratch, patience: Duration) throws -> any Target {
        try endpoint.target([("create", "true"), ("guard", guarding.rawValue)])
    }

    func items(of table: TableSchema, _ scratch: Scratch) throws -> [WireValue] { try endpoint.items(of: table.name.text) }

    func spoil(_ fault: Fault) {
        let count = Mutex(0)
        /// Of the writes from now on, the first `failures`.
        func first(_ failures: Int, _ course: SimulatedEndpoint.Course) {
            endpoint.follow { action, _ in
                guard Self.writes.contains(action) else { return .normal }
                let isOne = count.withLock { count in
                    count += 1
                    return count <= failures
                }
                return isOne ? course : .normal
            }
        }
        switch fault {
        // What did not arrive whole was never done; what did may be done while it is asked for again, and behind that.
        case .lost(after: 0): first(1, .fails(.unreachable(reason: "refused")))
        case .lost(let bytes) where bytes < 10_000: first(1, .fails(.broken(reason: "reset")))
        case .lost: first(1, .late(.seconds(3)))
        case .answerLost: first(1, .answerLost)
        case .silent: endpoint.follow { _, _ in .fails(.timedOut(reason: "nothing came")) }
        case .slow(let milliseconds):
            endpoint.follow { [endpoint] _, _ in
                endpoint.clock.leap(.milliseconds(milliseconds))
                return .normal
            }
        case .restarted: first(2, .answers(status: 503, body: #"{"__type":"ServiceUnavailable"}"#))
        case .killed: first(2, .fails(.unreachable(reason: "refused")))
        }
    }

    func heal() { endpoint.follow { _, _ in .normal } }

    /// More than 400 KB.
    func refusedItem(_ id: String) -> String {
        #"{"id":{"S":"\#(id)"},"value":{"S":"\#(String(repeating: "x", count: 410_000))"}}"#
    }

    func make(_ scratch: Scratch, by somebody: Unwelcome) throws -> (any Target, words: String)? {
        func answered(_ code: String, _ message: String, to actions: Set<String>?) {
            endpoint.follow { action, _ in
                guard actions?.contains(action) ?? true else { return .normal }
                return .answers(
                    status: 400, body: #"{"__type":"com.amazon.coral.service#\#(code)","message":"\#(message)"}"#)
            }
        }
        switch somebody {
        case .wrongPassword:
            answered("InvalidSignatureException", "The request signature we calculated does not match", to: nil)
            return (try make(scratch, patience: .zero), "the secret access key is wrong")
        case .wrongPlace: return (try endpoint.target([("guard", guarding.rawValue)]), "make it with the source's key schema")
        case .noRights:
            answered("AccessDeniedException", "User is not authorized", to: Self.writes)
            return (try make(scratch, patience: .zero), guarding == .wait ? "dynamodb:BatchWriteItem" : "dynamodb:")
        }
    }
}
