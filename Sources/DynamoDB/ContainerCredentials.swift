internal import Curl
internal import StreamModel

/// Credentials of the container's own role (ECS, EKS Pod Identity), from the agent beside it.
struct ContainerCredentials: CredentialsProvider {
    /// Of one try, and how many there are (botocore).
    private static let timeout: Duration = .seconds(2)
    private static let attempts = 3

    let environment: [String: String]
    let transport: any HTTPTransport
    let surroundings: Surroundings

    var name: String { "container" }

    func credentials(refreshing: Bool) async throws(DynamoDBError) -> ProviderAnswer {
        guard let endpoint = try ContainerEndpoint(environment) else {
            return .nothing(
                why: "neither \(ContainerEndpoint.relativeVariable) nor \(ContainerEndpoint.fullVariable) is set")
        }
        var attempt = 1
        while true {
            let token = try Self.token(endpoint)
            let trouble: String
            switch await transport.result(of: Self.request(endpoint, token)) {
            case .success(let response) where response.status == 200:
                guard let credentials = CredentialsDocument(response.body)?.credentials else {
                    throw .credentialsUnavailable("container: \(endpoint.place) answers, but with no credentials")
                }
                return .found(credentials)
            case .success(let response):
                trouble = Self.refusal(response, token)
                guard response.status >= 500 || response.status == 429 else {
                    throw .credentials(
                        """
                        container: \(endpoint.place) refuses with \(trouble): check the task's or pod's role, and \
                        \(ContainerEndpoint.tokenVariable) or its _FILE
                        """)
                }
            case .failure(.cancelled), .failure(.closed): throw .cancelled
            case .failure(let reason): trouble = "\(reason)"
            }
            guard attempt < Self.attempts else {
                throw .credentialsUnavailable("container: no credentials from \(endpoint.place): \(trouble)")
            }
            attempt += 1
            do { try await surroundings.sleep(for: .milliseconds(500) * (1 + surroundings.random())) } catch {
                throw .cancelled
            }
        }
    }

    private static func token(_ endpoint: ContainerEndpoint) throws(DynamoDBError) -> String? {
        let token: String?
        switch endpoint.token {
        case nil: token = nil
        case .text(let text): token = text
        case .file(let path):
            token = try SecretFile.read(
                path, what: "container authorization token", setting: ContainerEndpoint.tokenFileVariable)
        }
        // It could smuggle in a header.
        if let token, token.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw .credentials("container: the authorization token holds a line break or another control character")
        }
        return token
    }

    private static func request(_ endpoint: ContainerEndpoint, _ token: String?) -> HTTPRequest {
        HTTPRequest(
            .get, endpoint.url, headers: token.map { [HTTPHeader("authorization", $0)] } ?? [],
            totalTimeout: timeout, isDirect: true)
    }

    private static func refusal(_ response: HTTPResponse, _ token: String?) -> String {
        let said = CredentialsDocument(response.body)?.refusal.map { ": \($0)" } ?? ""
        let text = "HTTP \(response.status)\(said)"
        return text.hiding(token.map { [$0] } ?? [])
    }
}

extension HTTPTransport {
    func result(of request: HTTPRequest) async -> Result<HTTPResponse, CurlError> {
        do throws(CurlError) { return .success(try await perform(request)) } catch { return .failure(error) }
    }
}
