internal import Synchronization

/// Credentials by the way that a profile in the shared files names. The files are read anew when others are needed.
final class ProfileCredentials: CredentialsProvider {
    private let files: SharedFiles
    private let profile: String
    /// Named by somebody (a flag, AWS_PROFILE), so it must be there.
    private let isNamed: Bool
    private let place: CredentialsPlace
    private let environment: [String: String]
    private let make: @Sendable (CredentialsWay) -> any CredentialsProvider
    /// What was made of the way that the files last said.
    private let made = Mutex<(way: CredentialsWay, provider: any CredentialsProvider)?>(nil)

    /// - Parameters:
    ///   - place: which of the profile's ways this is: `roleOfProfile`, `webIdentity` or `profile`.
    ///   - environment: empty where the profile was chosen by a flag.
    init(
        files: SharedFiles, profile: String, isNamed: Bool, place: CredentialsPlace,
        environment: [String: String] = [:],
        make: @escaping @Sendable (CredentialsWay) -> any CredentialsProvider
    ) {
        self.files = files
        self.profile = profile
        self.isNamed = isNamed
        self.place = place
        self.environment = environment
        self.make = make
    }

    var name: String {
        switch place {
        case .webIdentity: "web identity"
        case .roleOfProfile: "role of a profile"
        case .environment, .profile, .container, .instance: "profile \"\(profile)\""
        }
    }

    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
        let profiles = try files.read()
        guard profiles.exists(profile) || !isNamed else { throw profiles.missing(profile) }
        let way: CredentialsWay? =
            switch place {
            case .roleOfProfile: try profiles.role(of: profile)
            case .webIdentity: try profiles.webIdentity(of: profile, environment: environment)
            case .environment, .profile, .container, .instance: try profiles.keysOrProcess(of: profile)
            }
        guard let way else { return .nothing(why: nothing(profiles)) }
        let provider = made.withLock { made in
            if let made, made.way == way { return made.provider }
            let provider = make(way)
            made = (way, provider)
            return provider
        }
        return try await provider.credentials(refreshing: refreshing)
    }

    private func nothing(_ profiles: Profiles) -> String {
        switch place {
        case .webIdentity: return "\(WebIdentity.variable) is not set"
        case .roleOfProfile: return "\"\(profile)\" has no role_arn"
        case .environment, .profile, .container, .instance:
            guard profiles.exists(profile) else {
                return "it is neither in \(files.configPath) nor in \(files.credentialsPath)"
            }
            return "it has no aws_access_key_id, neither in \(files.credentialsPath) nor in \(files.configPath)"
        }
    }
}
