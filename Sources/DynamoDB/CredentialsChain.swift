package import StreamModel
internal import Synchronization

/// Asks one place after the other, and keeps what it found until that is refused or about to expire.
package final class CredentialsChain: Sendable {
    private let providers: [any CredentialsProvider]
    private let found = Mutex<Credentials?>(nil)

    private let now: @Sendable () -> Timestamp

    /// How long before they expire others are looked for: what is signed by then must still arrive.
    static let margin: Duration = .seconds(300)

    package init(_ providers: [any CredentialsProvider], now: @escaping @Sendable () -> Timestamp = { .now() }) {
        self.providers = providers
        self.now = now
    }

    /// - Parameter refused: the credentials that the service has just refused; they are looked up anew, unless that has
    ///   happened since.
    func credentials(insteadOf refused: Credentials? = nil) async throws(DynamoDBError) -> Credentials {
        let kept = found.withLock { $0 }.flatMap { $0 == refused ? nil : $0 }
        if let kept, lasts(kept, for: Self.margin) { return kept }
        for provider in providers {
            let found: Credentials?
            do throws(DynamoDBError) { found = try await provider.credentials(refreshing: refused != nil) } catch {
                // Those that are still good will do until the next time.
                if let kept, lasts(kept, for: .zero), !error.isCancelled { return kept }
                throw error
            }
            guard let credentials = found else { continue }
            self.found.withLock { $0 = credentials }
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

    private func lasts(_ credentials: Credentials, for margin: Duration) -> Bool {
        credentials.expiration.map { $0 - now() > margin } ?? true
    }
}
