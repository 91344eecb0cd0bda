internal import StreamModel

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. An empty one counts as not set.
package struct EnvironmentCredentials: CredentialsProvider {
    private let environment: [String: String]

    package init(_ environment: [String: String]) { self.environment = environment }

    package var name: String { "environment" }

    package func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
        switch (environment[set: "AWS_ACCESS_KEY_ID"], environment[set: "AWS_SECRET_ACCESS_KEY"]) {
        case (nil, nil): return .nothing(why: "AWS_ACCESS_KEY_ID is not set")
        case (nil, _):
            throw .credentials("AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID isn't: set both, or neither")
        case (_, nil):
            throw .credentials("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY isn't: set both, or neither")
        case (let key?, let secret?):
            // AWS_SECURITY_TOKEN is the old name of the session token (botocore).
            let token = environment[set: "AWS_SESSION_TOKEN"] ?? environment[set: "AWS_SECURITY_TOKEN"]
            let expiration = environment[set: "AWS_CREDENTIAL_EXPIRATION"].flatMap { Timestamp($0) }
            return .found(
                Credentials(accessKeyID: key, secretAccessKey: secret, sessionToken: token, expiration: expiration))
        }
    }
}

extension [String: String] {
    /// The value of a variable that is set to something; spaces around it are nobody's intention.
    subscript(set name: String) -> String? {
        guard let value = self[name]?.trimmed, !value.isEmpty else { return nil }
        return value
    }
}

extension StringProtocol {
    /// Without white space at either end.
    var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest = rest.dropFirst() }
        while rest.last?.isWhitespace == true { rest = rest.dropLast() }
        return String(rest)
    }
}
