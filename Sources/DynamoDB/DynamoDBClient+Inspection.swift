internal import Curl
package import StreamModel

/// What an operator asks about a client before it is trusted with work. Nothing in here shows a secret.
extension DynamoDBClient {
    /// What the service's clock is ahead of this machine's, by the Date header of the last reply, a refusal among them; `nil` where
    /// none has said the time. Up to a second less than it is, since that header has no fractions.
    package var shownClockLead: Duration? { caller.shownClockLead }

    /// Whether the requests go over TLS.
    package var isEncrypted: Bool { caller.source.tables.scheme == "https" && caller.source.streams.scheme == "https" }

    /// Looks for credentials, and says what may be said of those that are found.
    ///
    /// - Throws: as `checkCredentials()`.
    package func credentialsInUse() async throws(DynamoDBError) -> CredentialsInUse {
        let found = try await currentCredentials()
        return CredentialsInUse(
            accessKeyID: found.accessKeyID, place: caller.chain.place, isTemporary: found.sessionToken != nil,
            expiration: found.expiration)
    }

    /// Asks whom the credentials belong to, which needs no permission; `nil` where that can't be asked beside this endpoint.
    ///
    /// Source: STS API Reference, `GetCallerIdentity`.
    package func callerIdentity() async throws(DynamoDBError) -> CallerIdentity? {
        let source = caller.source
        // An emulator's credentials are nobody's for AWS, and not AWS's to see.
        guard source.rolesBelongToTables else { return nil }
        let credentials = try await currentCredentials()
        let operation = "GetCallerIdentity"
        let body = Array("Action=\(operation)&Version=2011-06-15".utf8)
        let signed = [
            (name: "content-type", value: "application/x-www-form-urlencoded; charset=utf-8"),
            (name: "host", value: source.roles.authority),
        ]
        let signature = Signer(region: source.rolesRegion, service: "sts").sign(
            headers: signed, body: body, with: credentials, at: caller.chain.clock.now())
        var headers = signed.map { HTTPHeader($0.name, $0.value) }
        headers.append(HTTPHeader("x-amz-date", signature.date))
        if let token = signature.token { headers.append(HTTPHeader("x-amz-security-token", token)) }
        headers.append(HTTPHeader("authorization", signature.authorization))
        let response: HTTPResponse
        do throws(CurlError) {
            response = try await caller.transport.perform(
                HTTPRequest(.post, source.roles, headers: headers, body: body))
        } catch {
            throw .unreachable(endpoint: source.roles.text, operation: operation, reason: "\(error)")
        }
        guard response.status == 200 else {
            throw .service(
                code: TokenServiceReply.element("Code", in: response.body) ?? "\(response.status)",
                message: TokenServiceReply.element("Message", in: response.body)?.hiding(credentials.secrets)
                    ?? ErrorReply.excerpt(of: response.body, hiding: credentials.secrets),
                status: response.status, operation: operation, object: "these credentials",
                requestID: response.headers["x-amzn-requestid"])
        }
        guard let arn = TokenServiceReply.element("Arn", in: response.body),
            let account = TokenServiceReply.element("Account", in: response.body)
        else { throw .badReply(operation: operation, object: "these credentials", why: "it has no Arn") }
        return CallerIdentity(arn: arn, account: account)
    }

    /// `libcurl 8.5.0, OpenSSL/3.0.13, zlib/1.3`, as it says so itself.
    package static var curl: String { CurlVersion.text }
    /// Whether requests over TLS can be made at all.
    package static var knowsTLS: Bool { CurlVersion.tls != nil }
}

/// Credentials without their secrets.
package struct CredentialsInUse: Hashable, Sendable {
    package let accessKeyID: String
    /// Where they were found, as far as that can be told.
    package let place: String?
    package let isTemporary: Bool
    package let expiration: Timestamp?

    package init(accessKeyID: String, place: String?, isTemporary: Bool, expiration: Timestamp?) {
        self.accessKeyID = accessKeyID
        self.place = place
        self.isTemporary = isTemporary
        self.expiration = expiration
    }
}

/// Whom credentials belong to.
package struct CallerIdentity: Hashable, Sendable {
    package let arn: String
    package let account: String

    package init(arn: String, account: String) {
        self.arn = arn
        self.account = account
    }
}

extension ResolvedSource {
    /// Whether the endpoint where roles are assumed is of whoever has the tables: AWS for both, or one that was named for both.
    var rolesBelongToTables: Bool {
        guard tables.host != roles.host else { return true }
        return Self.isAWS(tables.host) == Self.isAWS(roles.host)
    }

    private static func isAWS(_ host: String) -> Bool { Partition.domains.contains { host.hasSuffix(".\($0)") } }
}
