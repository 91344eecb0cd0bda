/// Credentials of a role, which others are exchanged for (STS, AssumeRole), and again before they expire.
struct AssumedRole: CredentialsProvider {
    let request: RoleRequest
    let chain: CredentialsChain
    let service: TokenService

    var name: String { "role \(request.role)" }

    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
        .found(try await service.exchange(.credentials(chain), for: request))
    }
}
