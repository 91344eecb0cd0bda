/// Credentials of a role, which the token in a file is exchanged for (STS, AssumeRoleWithWebIdentity), and again before they expire.
///
/// The file is read each time: EKS and others write a new token into it while the old one is still good.
struct WebIdentityCredentials: CredentialsProvider {
    let identity: WebIdentity
    let service: TokenService

    var name: String { "web identity" }

    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
        let path = identity.tokenFile
        return .found(
            try await service.exchange(
                .token { () throws(DynamoDBError) in
                    let token = try SecretFile.read(path, what: "web identity token", setting: WebIdentity.variable)
                    // Source: STS API Reference, `WebIdentityToken`.
                    guard (4...20_000).contains(token.utf8.count) else {
                        throw .credentials(
                            "web identity: what \(path) holds is no token: it has \(token.utf8.count) bytes")
                    }
                    return token
                }, for: identity.request))
    }
}

/// A token in a file, and the role that it is exchanged for.
struct WebIdentity: Hashable, Sendable {
    static let variable = "AWS_WEB_IDENTITY_TOKEN_FILE"

    let tokenFile: String
    let request: RoleRequest

    /// Each part from the environment first, then from the profile (botocore).
    ///
    /// - Parameter environment: empty where a profile was chosen, or is another's source.
    /// - Returns: `nil` where neither names a file.
    init?(
        environment: [String: String], profile: String, _ setting: (String) -> String?
    ) throws(DynamoDBError) {
        guard let file = environment[set: Self.variable] ?? setting("web_identity_token_file") else { return nil }
        guard let role = environment[set: "AWS_ROLE_ARN"] ?? setting("role_arn") else {
            throw .credentials(
                """
                web identity: \(file) is named, but no role to exchange its token for: set AWS_ROLE_ARN, or role_arn of \
                profile "\(profile)"
                """)
        }
        tokenFile = file
        request = try RoleRequest(
            role, sessionName: environment[set: "AWS_ROLE_SESSION_NAME"] ?? setting("role_session_name"),
            seconds: setting("duration_seconds"))
    }
}
