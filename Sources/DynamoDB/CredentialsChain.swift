internal import Synchronization

/// Asks one place after the other, and keeps what it found until that is refused.
package final class CredentialsChain: Sendable {
    private let providers: [any CredentialsProvider]
    private let found = Mutex<Credentials?>(nil)

    package init(_ providers: [any CredentialsProvider]) { self.providers = providers }

    /// - Parameter refused: the credentials that the service has just refused; they are looked up anew, unless that has
    ///   happened since.
    func credentials(insteadOf refused: Credentials? = nil) async throws(DynamoDBError) -> Credentials {
        if let found = found.withLock({ $0 }), found != refused { return found }
        for provider in providers {
            guard let credentials = try await provider.credentials(refreshing: refused != nil) else { continue }
            found.withLock { $0 = credentials }
            return credentials
        }
        let places = providers.map(\.place).joined(separator: ", or ")
        throw .credentials(
            """
            no AWS credentials: set \(places). (An emulator takes any: AWS_ACCESS_KEY_ID=local \
            AWS_SECRET_ACCESS_KEY=local)
            """
        )
    }
}
