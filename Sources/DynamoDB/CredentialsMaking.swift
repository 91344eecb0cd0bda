internal import Curl
internal import StreamModel

/// What providers are made with.
struct CredentialsMaking: Sendable {
    let environment: [String: String]
    let files: SharedFiles
    let source: ResolvedSource
    /// Chosen by a flag or the configuration.
    let isProfileChosen: Bool
    let metadata: InstanceMetadata?
    let transport: any HTTPTransport
    let retry: RetryPolicy
    let clock: ServiceClock
    let surroundings: Surroundings
    let onFailure: CredentialsChain.FailureObserver

    /// All places, in their order.
    var everywhere: CredentialsChain {
        chain(CredentialsPlace.order(isProfileChosen: isProfileChosen).map { provider(of: $0) })
    }

    func chain(_ providers: [any CredentialsProvider]) -> CredentialsChain {
        CredentialsChain(providers, clock: clock, surroundings: surroundings, onFailure: onFailure)
    }

    var service: TokenService {
        TokenService(at: source, transport: transport, retry: retry, clock: clock, surroundings: surroundings)
    }

    private func provider(of place: CredentialsPlace) -> any CredentialsProvider {
        switch place {
        case .environment: EnvironmentCredentials(environment)
        case .container:
            ContainerCredentials(environment: environment, transport: transport, surroundings: surroundings)
        case .instance: InstanceCredentials(metadata: metadata)
        case .roleOfProfile, .webIdentity, .profile:
            ProfileCredentials(
                files: files, profile: source.profile, isNamed: source.isProfileNamed, place: place,
                environment: isProfileChosen ? [:] : environment, make: provider(for:))
        }
    }

    private func provider(for way: CredentialsWay) -> any CredentialsProvider {
        switch way {
        case .keys(let credentials): GivenCredentials(credentials: credentials)
        case .process(let command, let profile):
            ProcessCredentials(
                command: command, profile: profile, environment: environment, surroundings: surroundings)
        case .webIdentity(let identity): WebIdentityCredentials(identity: identity, service: service)
        case .role(let request, let way):
            AssumedRole(request: request, chain: chain([provider(for: way)]), service: service)
        case .environment: provider(of: .environment)
        case .container: provider(of: .container)
        case .instance: provider(of: .instance)
        }
    }
}

/// Keys that stand in a file.
private struct GivenCredentials: CredentialsProvider {
    let credentials: Credentials

    var name: String { "access keys" }

    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer { .found(credentials) }
}
