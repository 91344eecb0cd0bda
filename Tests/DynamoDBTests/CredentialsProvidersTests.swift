import Curl
import Foundation
import StreamModel
import Testing

@testable import DynamoDB

/// Each place against a stand-in on this machine, in what can go wrong with it.
@Suite("Places that credentials come from")
struct CredentialsProvidersTests {
    private static let base = ["AWS_REGION": "eu-central-1"]

    /// The credentials that a client would use, or why there are none.
    private static func ask(
        _ server: TestServer, _ files: AWSFiles, _ environment: [String: String],
        _ configuration: SourceConfiguration = .init()
    ) async throws -> Result<Credentials, DynamoDBError> {
        let all = files.environment.merging(base) { $1 }.merging([
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url, "AWS_ENDPOINT_URL_STS": server.url,
        ]) { $1 }.merging(environment) { $1 }
        let client = try DynamoDBClient.make(configuration, environment: all, retry: Sample.quickRetries)
        let result: Result<Credentials, DynamoDBError>
        do throws(DynamoDBError) { result = .success(try await client.currentCredentials()) } catch {
            result = .failure(error)
        }
        await client.shutdown()
        return result
    }

    private static func text(_ result: Result<Credentials, DynamoDBError>) -> String {
        switch result {
        case .success(let credentials): "\(credentials)"
        case .failure(let error): "\(error)"
        }
    }

    // MARK: Web identity

    private static func web(_ files: AWSFiles) -> [String: String] {
        ["AWS_WEB_IDENTITY_TOKEN_FILE": files.path("token"), "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/pod"]
    }

    @Test("A web identity's token is sent unsigned, and a failure of its issuer's is tried again")
    func webIdentity() async throws {
        let server = TestServer { request, number in
            number == 0
                ? .respond(status: 400, body: Self.refusal("IDPCommunicationError", "slow"))
                : CredentialServices.answer(request)
        }
        let files = try AWSFiles()
        let found = try await Self.ask(server, files, Self.web(files)).get()
        #expect(found.accessKeyID == "pod-BY-WEBTOKEN")
        #expect(found.expiration == Timestamp(CredentialServices.expiration))
        #expect(server.requests.count == 2)
        #expect(server.requests.allSatisfy { $0.headers["authorization"] == nil && $0.headers["x-amz-date"] == nil })
    }

    @Test("A token that has expired is read once more, since it may have been written anew")
    func rotated() async throws {
        let files = try AWSFiles(token: "OLDTOKEN")
        let server = TestServer { request, number in
            guard number == 0 else { return CredentialServices.answer(request) }
            try? files.write("NEWTOKEN", "token")
            return .respond(status: 400, body: Self.refusal("ExpiredTokenException", "Token OLDTOKEN is expired"))
        }
        #expect(try await Self.ask(server, files, Self.web(files)).get().accessKeyID == "pod-BY-NEWTOKEN")
    }

    @Test(
        "What STS says to a web identity is said with what to do, and without the token",
        arguments: [
            ("ExpiredTokenException", 400, "must write it anew", 77),
            ("InvalidIdentityToken", 400, "InvalidIdentityToken", 69),
            ("AccessDenied", 403, "trust the token's issuer", 77),
            ("RegionDisabledException", 403, "RegionDisabled", 69),
        ])
    func webRefused(code: String, status: Int, text: String, exit: Int32) async throws {
        let server = TestServer { _, _ in
            .respond(status: status, body: Self.refusal(code, "no: HUSHHUSHTOKEN"))
        }
        let files = try AWSFiles(token: "HUSHHUSHTOKEN")
        let result = try await Self.ask(server, files, Self.web(files))
        guard case .failure(let error) = result else {
            Issue.record("\(result)")
            return
        }
        #expect("\(error)".contains(text) && error.exitCode == exit, "\(error)")
        #expect(!"\(error)".contains("HUSH") && "\(error)".contains("role/pod"), "\(error)")
        #expect(server.requests.count == 1)
    }

    private static func refusal(_ code: String, _ message: String) -> String {
        """
        <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>\(code)</Code>
        <Message>\(message)</Message></Error><RequestId>1</RequestId></ErrorResponse>
        """
    }

    @Test("A role is assumed by the service's clock, once a refused signature has shown it")
    func skew() async throws {
        let server = TestServer { request, number in
            number > 0
                ? CredentialServices.answer(request)
                : .respond(
                    status: 403, headers: ["Date": "Tue, 01 Jan 2030 00:00:00 GMT"],
                    body: Self.refusal("SignatureDoesNotMatch", "Signature expired: x is now earlier than y"))
        }
        let files = try AWSFiles()
        var configuration = SourceConfiguration()
        configuration.role = "arn:aws:iam::123456789012:role/r"
        let keys = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "secret"]
        #expect(try await Self.ask(server, files, keys, configuration).get().accessKeyID == "r-BY-ENV")
        #expect(server.requests.last?.headers["x-amz-date"]?.hasPrefix("20300101T0000") == true)
        #expect(server.requests.first?.headers["x-amz-date"]?.hasPrefix("2030") == false)
    }

    // MARK: Containers

    @Test(
        "Only this machine and the agents' own addresses are asked by http",
        arguments: [
            ("http://127.0.0.1/x", true), ("http://127.9.9.9:80/x", true), ("http://localhost:99/x", true),
            ("http://[::1]/x", true),
            ("http://169.254.170.2/x", true), ("http://169.254.170.23/v1/credentials", true),
            ("http://[fd00:ec2::23]/v1", true),
            ("https://example.com/x", true), ("http://example.com/x", false), ("http://169.254.169.254/x", false),
            ("http://127.0.0.1.example.com/x", false), ("http://user@127.0.0.1/x", false), ("http://10.0.0.1/x", false),
            ("ftp://127.0.0.1/x", false), ("nonsense", false), ("http://localhost.example.com/", false),
        ])
    func hosts(url: String, isAllowed: Bool) throws {
        let environment = [ContainerEndpoint.fullVariable: url]
        if isAllowed {
            #expect(try ContainerEndpoint(environment)?.url.text.hasPrefix("http") == true)
        } else {
            let error = #expect(throws: DynamoDBError.self) { try ContainerEndpoint(environment) }
            #expect(error.map { "\($0)".contains(ContainerEndpoint.fullVariable) && $0.exitCode == 78 } == true)
        }
    }

    @Test("The relative one goes first, and stays at the agent's address")
    func relative() throws {
        func url(_ path: String) throws -> String? {
            try ContainerEndpoint([
                ContainerEndpoint.relativeVariable: path, ContainerEndpoint.fullVariable: "http://localhost/f",
            ])?.url.text
        }
        #expect(try url("/v2/credentials/x?y=1") == "http://169.254.170.2/v2/credentials/x?y=1")
        #expect(try url("") == "http://localhost/f")
        #expect(throws: DynamoDBError.self) { try url(".example.com/x") }
        #expect(throws: DynamoDBError.self) { try url("@example.com/x") }
        #expect(throws: DynamoDBError.self) { try url(":80@example.com/x") }
    }

    @Test("A container's token is read anew each time, trimmed, and in no error")
    func containerToken() async throws {
        let server = TestServer { request, _ in
            request.headers["authorization"] == "GOOD"
                ? CredentialServices.answer(request)
                : .respond(
                    status: 403, body: #"{"code":"Denied","message":"not \#(request.headers["authorization"] ?? "")"}"#)
        }
        let files = try AWSFiles(token: "GOOD\n")
        let environment = [
            ContainerEndpoint.fullVariable: server.url + "/container",
            ContainerEndpoint.tokenFileVariable: files.path("token"),
        ]
        #expect(try await Self.ask(server, files, environment).get().accessKeyID == "CONTAINER-GOOD")
        try files.write("HUSHHUSH", "token")
        let refused = Self.text(try await Self.ask(server, files, environment))
        #expect(refused.contains("refuses with HTTP 403: Denied: not …") && !refused.contains("HUSH"), "\(refused)")
        try files.write("HUSH\r\nEvil: 1", "token")
        let smuggled = Self.text(try await Self.ask(server, files, environment))
        #expect(smuggled.contains("line break") && !smuggled.contains("HUSH"), "\(smuggled)")
        try files.write("", "token")
        #expect(
            Self.text(try await Self.ask(server, files, environment)).contains("holds no container authorization token")
        )
        #expect(!server.requests.contains { $0.headers["evil"] != nil })
    }

    @Test("An agent that fails is asked again, and what it can't give for now may pass")
    func containerFails() async throws {
        let files = try AWSFiles()
        let flaky = TestServer { request, number in
            number < 2 ? .respond(status: 500, body: "") : CredentialServices.answer(request)
        }
        #expect(
            try await Self.ask(flaky, files, [ContainerEndpoint.fullVariable: flaky.url + "/container"]).get()
                .accessKeyID
                == "CONTAINER-none")
        let dead = TestServer { _, _ in .respond(status: 200, body: "<html>") }
        let result = try await Self.ask(dead, files, [ContainerEndpoint.fullVariable: dead.url + "/secretpath"])
        guard case .failure(let error) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(error.isRetryable && error.exitCode == 69 && !"\(error)".contains("secretpath"), "\(error)")
    }

    // MARK: Instances

    @Test("An instance's role is found by a token that serves all requests")
    func instance() async throws {
        let server = TestServer { request, _ in CredentialServices.answer(request) }
        let files = try AWSFiles()
        let found = try await Self.ask(server, files, [:]).get()
        #expect(found.accessKeyID == "INSTANCE" && found.sessionToken == "token")
        #expect(
            server.requests.map(\.line) == [
                "PUT /latest/api/token HTTP/1.1", "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1",
                "GET /latest/meta-data/iam/security-credentials/the-role HTTP/1.1",
            ])
    }

    @Test("An instance that takes no tokens is asked without, unless that is forbidden")
    func instanceV1() async throws {
        let server = TestServer { request, _ in
            guard !request.line.hasPrefix("PUT") else { return .respond(status: 404, body: "") }
            return .respond(
                body: request.line.contains("the-role")
                    ? #"{"Code":"Success","AccessKeyId":"V1","SecretAccessKey":"s","Token":"t","Expiration":"2126-01-01T00:00:00Z"}"#
                    : "the-role")
        }
        let files = try AWSFiles()
        #expect(try await Self.ask(server, files, [:]).get().accessKeyID == "V1")
        let forbidden = Self.text(try await Self.ask(server, files, ["AWS_EC2_METADATA_V1_DISABLED": "true"]))
        #expect(forbidden.contains("HTTP 404") && forbidden.contains("AWS_EC2_METADATA_V1_DISABLED"), "\(forbidden)")
    }

    @Test("A token that gets lost says what the hop limit is for")
    func hops() async throws {
        let server = TestServer { request, _ in
            request.line.hasPrefix("PUT") ? .silence : .respond(status: 401, body: "")
        }
        let text = Self.text(try await Self.ask(server, try AWSFiles(), [:]))
        #expect(
            text.contains("--http-put-response-hop-limit 2")
                && text.contains("environment: AWS_ACCESS_KEY_ID is not set"))
    }

    @Test("A role that EC2 may not assume, and an instance without one, are said as what they are")
    func instanceRefused() async throws {
        let refusing = TestServer { request, _ in
            request.line.contains("the-role")
                ? .respond(body: #"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"}"#)
                : CredentialServices.answer(request)
        }
        let files = try AWSFiles()
        let refused = Self.text(try await Self.ask(refusing, files, [:]))
        #expect(refused.contains("the-role: AssumeRoleUnauthorizedAccess: EC2 cannot assume the role"), "\(refused)")
        let bare = TestServer { request, _ in
            request.line.hasPrefix("PUT") ? .respond(body: "T") : .respond(status: 404, body: "")
        }
        guard case .failure(let none) = try await Self.ask(bare, files, [:]) else {
            Issue.record("there is no role")
            return
        }
        #expect("\(none)".contains("attach a role") && none.exitCode == 78, "\(none)")
    }

    @Test("A machine that isn't an instance gives no answer, which may pass: nothing says that it never will")
    func nowhere() async throws {
        let server = TestServer { _, _ in .silence }
        let dead = server.url
        server.stop()
        let other = TestServer { _, _ in .silence }
        let result = try await Self.ask(other, try AWSFiles(), ["AWS_EC2_METADATA_SERVICE_ENDPOINT": dead])
        guard case .failure(let error) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(error.isRetryable && error.exitCode == 69 && "\(error)".contains("no answer"), "\(error)")
    }

    @Test("The region is the instance's where nobody has set one, and only there")
    func region() async throws {
        let server = TestServer { request, _ in CredentialServices.answer(request) }
        let files = try AWSFiles(config: "[profile r]\nregion = eu-west-3\n")
        let environment = files.environment.merging(["AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url]) { $1 }
        func region(_ configuration: SourceConfiguration, _ more: [String: String] = [:]) async throws -> String? {
            try await DynamoDBClient.regionOfInstance(configuration, environment: environment.merging(more) { $1 })
        }
        #expect(try await region(.init()) == "ap-south-2")
        let asked = server.requests.count
        #expect(try await region(.init(region: "eu-west-1")) == nil)
        #expect(try await region(.init(profile: "r")) == nil)
        #expect(try await region(.init(), ["AWS_REGION": "eu-west-1"]) == nil)
        #expect(try await region(.init(), ["AWS_EC2_METADATA_DISABLED": "true"]) == nil)
        #expect(server.requests.count == asked)
    }
}
