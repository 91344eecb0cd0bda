import StreamModel
import Targets

@testable import DynamoDBTarget

/// What the tests of a DynamoDB target begin with: an endpoint of their own, and the table `people`.
struct DynamoDBBench {
    let endpoint: SimulatedEndpoint

    static func key(_ id: String) -> String { #"{"id":{"S":"\#(id)"}}"# }
    static func item(_ id: String, _ version: Int) -> String {
        #"{"id":{"S":"\#(id)"},"v":{"N":"\#(version)"}}"#
    }
    static func put(_ id: String, _ version: Int) -> Feed.Entry {
        .modify(keys: key(id), old: nil, new: item(id, version))
    }

    /// Out of the doubt that it opens in.
    func ready(_ options: [(String, String)] = []) async throws -> DynamoDBTarget {
        let target = try endpoint.target([("create", "true")] + options)
        try await target.open(recoveringTo: [])
        try await target.prepare(.people)
        endpoint.clock.leap(.seconds(3600))
        return target
    }

    func refusal(_ body: () async throws -> Void) async -> TargetError? {
        do {
            try await body()
            return nil
        } catch { return error as? TargetError }
    }

    func holds(_ items: [String]) throws -> Bool {
        try Set(endpoint.items(of: "people")) == Set(items.map { try WireValue.item($0) })
    }
}
