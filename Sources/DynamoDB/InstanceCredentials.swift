/// Credentials of the role that an instance has (EC2), from its metadata service.
struct InstanceCredentials: CredentialsProvider {
    /// `nil` where it isn't to be asked.
    let metadata: InstanceMetadata?

    var name: String { "instance metadata" }

    /// The service itself keeps them on where it can't renew them (botocore, "static stability").
    var outlivesExpiration: Bool { true }

    private static let path = "meta-data/iam/security-credentials/"

    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
        guard let metadata else { return .nothing(why: "AWS_EC2_METADATA_DISABLED is true") }
        let base = metadata.settings.base
        func nothing(_ trouble: MetadataMachine.Trouble) -> ProviderAnswer {
            .nothing(why: "\(base): \(trouble.text)", mayPass: trouble.mayPass)
        }
        let role: String
        switch try await metadata.text(Self.path) {
        case .trouble(let trouble): return nothing(trouble)
        case .text(let text):
            // One a line, and there has never been a second. It becomes a part of a URL.
            role = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
            guard !role.isEmpty, role.utf8.allSatisfy(\.isNameByte) else {
                throw .credentialsUnavailable(
                    "instance metadata: \(base) names no role: is it an instance's metadata service?")
            }
        }
        switch try await metadata.text(Self.path + role) {
        case .trouble(let trouble): return nothing(trouble)
        case .text(let text):
            let document = CredentialsDocument(Array(text.utf8))
            if let refusal = document?.refusal {
                throw .credentialsUnavailable(
                    "instance metadata: \(base) has no credentials of role \(role): \(refusal): check that EC2 may assume it"
                )
            }
            guard let credentials = document?.credentials else {
                throw .credentialsUnavailable(
                    "instance metadata: what \(base) says of role \(role) holds no credentials")
            }
            return .found(credentials)
        }
    }
}
