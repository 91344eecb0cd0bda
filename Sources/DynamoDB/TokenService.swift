internal import Curl
internal import StreamModel

/// STS, which exchanges credentials or a token for credentials of a role.
struct TokenService: Sendable {
    /// What the exchange is asked with.
    enum Proof: Sendable {
        /// Credentials that sign.
        case credentials(CredentialsChain)
        /// A token that is read anew for each try: whoever writes it replaces it before it expires.
        case token(@Sendable () throws(DynamoDBError) -> String)
    }

    /// Of one try; a service that lets a caller wait longer is as good as gone.
    private static let timeout: Duration = .seconds(15)

    private let endpoint: HTTPURL
    private let transport: any HTTPTransport
    private let policy: RetryPolicy
    private let signer: Signer
    private let clock: ServiceClock
    private let surroundings: Surroundings

    init(
        at source: ResolvedSource, transport: any HTTPTransport, retry: RetryPolicy, clock: ServiceClock,
        surroundings: Surroundings
    ) {
        endpoint = source.roles
        self.transport = transport
        policy = retry
        signer = Signer(region: source.rolesRegion, service: "sts")
        self.clock = clock
        self.surroundings = surroundings
    }

    func exchange(_ proof: Proof, for request: RoleRequest) async throws(DynamoDBError) -> Credentials {
        var machine = CallMachine(policy)
        var shown = try await show(proof, insteadOf: nil)
        while true {
            let (error, failure): (DynamoDBError, CallMachine.Failure)
            switch await transport.result(of: http(request, with: shown)) {
            case .success(let response) where response.status == 200:
                guard let credentials = TokenServiceReply.credentials(in: response.body) else {
                    throw .badReply(operation: shown.operation, object: request.role, why: "it has no credentials")
                }
                return credentials
            case .success(let response): (error, failure) = refusal(response, request, shown)
            case .failure(.cancelled), .failure(.closed): throw .cancelled
            case .failure(let reason):
                error = .unreachable(endpoint: endpoint.text, operation: shown.operation, reason: "\(reason)")
                failure = reason.isTransient ? .broken : .final
            }
            switch machine.handle(failure, random: surroundings.random()) {
            case .giveUp: throw error
            case .wait(let duration):
                do { try await surroundings.sleep(for: duration) } catch { throw .cancelled }
            case .refreshCredentials:
                let refused = shown
                shown = try await show(proof, insteadOf: refused)
                guard shown != refused else { throw error }
            case .setClock(let time): clock.set(to: time)
            }
        }
    }

    private enum Shown: Equatable {
        case credentials(Credentials)
        case token(String)

        var operation: String {
            switch self {
            case .credentials: RoleRequest.operation
            case .token: RoleRequest.webIdentityOperation
            }
        }

        /// What the service's message may not repeat.
        var secrets: [String] {
            switch self {
            case .credentials(let credentials): credentials.secrets
            case .token(let token): [token]
            }
        }
    }

    private func show(_ proof: Proof, insteadOf refused: Shown?) async throws(DynamoDBError) -> Shown {
        switch proof {
        case .token(let read): return .token(try read())
        case .credentials(let chain):
            guard case .credentials(let old)? = refused else { return .credentials(try await chain.credentials()) }
            return .credentials(try await chain.credentials(insteadOf: old))
        }
    }

    private func http(_ request: RoleRequest, with shown: Shown) -> HTTPRequest {
        let content = (name: "content-type", value: "application/x-www-form-urlencoded; charset=utf-8")
        switch shown {
        case .token(let token):
            return HTTPRequest(
                .post, endpoint, headers: [HTTPHeader(content.name, content.value)], body: request.form(token: token),
                totalTimeout: Self.timeout)
        case .credentials(let credentials):
            let body = request.form()
            let signed = [content, (name: "host", value: endpoint.authority)]
            let signature = signer.sign(headers: signed, body: body, with: credentials, at: clock.now())
            var headers = signed.map { HTTPHeader($0.name, $0.value) }
            headers.append(HTTPHeader("x-amz-date", signature.date))
            if let token = signature.token { headers.append(HTTPHeader("x-amz-security-token", token)) }
            headers.append(HTTPHeader("authorization", signature.authorization))
            return HTTPRequest(.post, endpoint, headers: headers, body: body, totalTimeout: Self.timeout)
        }
    }

    private func refusal(
        _ response: HTTPResponse, _ request: RoleRequest, _ shown: Shown
    ) -> (DynamoDBError, CallMachine.Failure) {
        let code = TokenServiceReply.element("Code", in: response.body) ?? "\(response.status)"
        let message =
            TokenServiceReply.element("Message", in: response.body)?.hiding(shown.secrets)
            ?? ErrorReply.excerpt(of: response.body, hiding: shown.secrets)
        let time = response.headers["date"].flatMap { Timestamp(httpDate: $0) }
        return (
            .service(
                code: code, message: message, status: response.status,
                operation: shown.operation, object: request.role, requestID: response.headers["x-amzn-requestid"]),
            .refused(ErrorClass(code: code, message: message, status: response.status), serviceTime: time)
        )
    }
}
