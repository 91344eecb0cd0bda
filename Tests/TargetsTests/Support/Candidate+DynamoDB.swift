import StreamModel
import Synchronization
import Targets

@testable import DynamoDBTarget

extension Candidate {
    static let dynamoDB = dynamoDB(.wait)
    static let dynamoDBByTransactions = dynamoDB(.transaction)

    private static func dynamoDB(_ guarding: DynamoDBSettings.Guard) -> Candidate {
        Candidate(name: "dynamodb, guard: \(guarding.rawValue)", takesEmptyNames: false) { scratch in
            try endpoint(of: scratch).target([("create", "true"), ("guard", guarding.rawValue)])
        } items: { table, scratch in
            try endpoint(of: scratch).items(of: table.name.text)
        }
    }

    /// Each scratch is a service of its own, which outlives the daemon.
    private static func endpoint(of scratch: Scratch) -> SimulatedEndpoint {
        endpoints.withLock { endpoints in
            let endpoint = endpoints[scratch.path] ?? SimulatedEndpoint()
            endpoints[scratch.path] = endpoint
            return endpoint
        }
    }

    private static let endpoints = Mutex<[String: SimulatedEndpoint]>([:])
}
