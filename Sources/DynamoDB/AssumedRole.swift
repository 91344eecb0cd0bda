package import Curl
internal import Foundation
package import StreamModel

/// Credentials of a role, which others are exchanged for (STS, AssumeRole), and again before they expire.
package actor AssumedRole: CredentialsProvider {
    static let operation = "AssumeRole"

    private let role: String
    private let externalID: String?
    private let chain: CredentialsChain
    private let endpoint: HTTPURL
    private let transport: any HTTPTransport
    private let policy: RetryPolicy
    private let signer: Signer
    private let surroundings: Surroundings
    private var underWay: Task<Result<Credentials, DynamoDBError>, Never>?

    package nonisolated var place: String { "credentials that may assume \(role)" }

    /// - Throws: `.configuration` for a role that is no ARN of one.
    package init(
        _ role: String, externalID: String?, by chain: CredentialsChain, at source: ResolvedSource,
        transport: any HTTPTransport, retry: RetryPolicy, surroundings: Surroundings
    ) throws(DynamoDBError) {
        guard role.hasPrefix("arn:"), role.split(separator: ":", omittingEmptySubsequences: false).count == 6,
            role.contains(":role/")
        else {
            throw .configuration(
                "'\(role)' is no role: give its ARN, such as arn:aws:iam::123456789012:role/shake")
        }
        self.role = role
        self.externalID = externalID
        self.chain = chain
        endpoint = source.roles
        self.transport = transport
        policy = retry
        signer = Signer(region: source.signingRegion, service: "sts")
        self.surroundings = surroundings
    }

    /// Calls that come while one is under way wait for its answer.
    package func credentials(refreshing: Bool) async throws(DynamoDBError) -> Credentials? {
        if let underWay { return try await underWay.value.get() }
        let task = Task { () async -> Result<Credentials, DynamoDBError> in
            do throws(DynamoDBError) { return .success(try await self.assume()) } catch { return .failure(error) }
        }
        underWay = task
        let result = await task.value
        underWay = nil
        return try result.get()
    }

    private func assume() async throws(DynamoDBError) -> Credentials {
        var machine = CallMachine(policy)
        var credentials = try await chain.credentials()
        var ahead: Duration = .zero
        while true {
            let response: Result<HTTPResponse, CurlError>
            do throws(CurlError) {
                response = .success(
                    try await transport.perform(request(with: credentials, at: surroundings.now() + ahead)))
            } catch { response = .failure(error) }
            let (error, failure): (DynamoDBError, CallMachine.Failure)
            switch response {
            case .success(let response) where response.status == 200: return try Self.credentials(in: response, role)
            case .success(let response): (error, failure) = refusal(response, credentials)
            case .failure(.cancelled), .failure(.closed): throw .cancelled
            case .failure(let reason):
                error = .unreachable(endpoint: endpoint.text, operation: Self.operation, reason: "\(reason)")
                failure = reason.isTransient ? .broken : .final
            }
            switch machine.handle(failure, random: surroundings.random()) {
            case .giveUp: throw error
            case .wait(let duration):
                do { try await surroundings.sleep(for: duration) } catch { throw .cancelled }
            case .refreshCredentials:
                let refused = credentials
                credentials = try await chain.credentials(insteadOf: refused)
                guard credentials != refused else { throw error }
            case .setClock(let time): ahead = time - surroundings.now()
            }
        }
    }

    /// Source: STS API Reference, `AssumeRole`.
    private func request(with credentials: Credentials, at time: Timestamp) -> HTTPRequest {
        var fields = [
            ("Action", Self.operation), ("Version", "2011-06-15"), ("RoleArn", role), ("RoleSessionName", "shake"),
        ]
        if let externalID { fields.append(("ExternalId", externalID)) }
        let body = Array(fields.map { "\($0)=\(Self.escaped($1))" }.joined(separator: "&").utf8)
        let signed = [
            (name: "content-type", value: "application/x-www-form-urlencoded; charset=utf-8"),
            (name: "host", value: endpoint.authority),
        ]
        let signature = signer.sign(headers: signed, body: body, with: credentials, at: time)
        var headers = signed.map { HTTPHeader($0.name, $0.value) }
        headers.append(HTTPHeader("x-amz-date", signature.date))
        if let token = signature.token { headers.append(HTTPHeader("x-amz-security-token", token)) }
        headers.append(HTTPHeader("authorization", signature.authorization))
        return HTTPRequest(.post, endpoint, headers: headers, body: body)
    }

    private func refusal(
        _ response: HTTPResponse, _ credentials: Credentials
    ) -> (DynamoDBError, CallMachine.Failure) {
        let code = Self.element("Code", in: response.body) ?? "\(response.status)"
        let message = Self.element("Message", in: response.body) ?? ErrorReply.excerpt(of: response.body)
        let time = response.headers["date"].flatMap { Timestamp(httpDate: $0) }
        return (
            .service(
                code: code, message: credentials.removed(from: message), status: response.status,
                operation: Self.operation, object: role, requestID: response.headers["x-amzn-requestid"]),
            .refused(ErrorClass(code: code, message: message, status: response.status), serviceTime: time)
        )
    }

    private static func credentials(in response: HTTPResponse, _ role: String) throws(DynamoDBError) -> Credentials {
        guard let key = element("AccessKeyId", in: response.body),
            let secret = element("SecretAccessKey", in: response.body),
            let token = element("SessionToken", in: response.body)
        else { throw .badReply(operation: operation, object: role, why: "it has no credentials") }
        return Credentials(
            accessKeyID: key, secretAccessKey: secret, sessionToken: token,
            expiration: element("Expiration", in: response.body).flatMap { Timestamp($0) })
    }

    /// The text of the first element of that name. What STS answers has no attributes and none of them nested in itself.
    static func element(_ name: String, in xml: [UInt8]) -> String? {
        guard let start = xml.firstRange(of: Array("<\(name)>".utf8))?.upperBound,
            let end = xml[start...].firstRange(of: Array("</\(name)>".utf8))?.lowerBound
        else { return nil }
        return [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
            .reduce(String(decoding: xml[start..<end], as: UTF8.self)) { $0.replacing($1.0, with: $1.1) }
    }

    private static func escaped(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
    }
}
