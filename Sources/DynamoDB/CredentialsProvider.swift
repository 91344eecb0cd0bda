/// A place that credentials may come from.
package protocol CredentialsProvider: Sendable {
    /// What is there.
    ///
    /// - Parameter refreshing: the service has refused what was given before, or it is about to expire: look again.
    /// - Throws: `.credentials` for a place that is set up, but wrong or half: going on to the next would surprise.
    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer

    /// For the message that nothing was found anywhere.
    var name: String { get }

    /// Whether what it gave may be used on beyond its expiration while it gives nothing newer: the service, not we, decides then.
    var outlivesExpiration: Bool { get }
}

extension CredentialsProvider {
    package var outlivesExpiration: Bool { false }
}

/// What a place that was asked for credentials has.
package enum ProviderAnswer: Hashable, Sendable {
    case found(Credentials)
    /// This place isn't set up, so the next one is asked.
    ///
    /// - Parameters:
    ///   - why: for the message that nothing was found anywhere.
    ///   - mayPass: it gave no answer, and may give one in a while.
    case nothing(why: String, mayPass: Bool = false)
}
