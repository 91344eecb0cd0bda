/// A place that credentials may come from.
package protocol CredentialsProvider: Sendable {
    /// What is there, or `nil` if this place isn't set up, so that the next one is asked.
    ///
    /// - Parameter refreshing: the service has refused what was given before: look again.
    /// - Throws: `.credentials` for a place that is set up, but wrong or half: going on to the next would surprise.
    func credentials(refreshing: Bool) async throws(DynamoDBError) -> Credentials?

    /// For the message that nothing was found anywhere: where one could put them.
    var place: String { get }
}
