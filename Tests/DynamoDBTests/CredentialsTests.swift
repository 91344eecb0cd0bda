import Foundation
import StreamModel
import Testing

@testable import DynamoDB

@Suite("Credentials")
struct CredentialsTests {
    @Test("No way of printing them shows a secret")
    func redacted() {
        let credentials = Credentials(accessKeyID: "AKID", secretAccessKey: "hush", sessionToken: "hushtoo")
        var dumped = ""
        dump([credentials], to: &dumped)
        for text in [
            "\(credentials)", String(reflecting: credentials), "\([credentials])", "\(Optional(credentials) as Any)",
            dumped,
        ] {
            #expect(!text.contains("hush"), "\(text)")
            #expect(text.contains("AKID"))
        }
    }

    @Test("The environment gives both keys or none; an empty variable is not set")
    func environment() async throws {
        func credentials(_ environment: [String: String]) async throws -> Credentials? {
            try await EnvironmentCredentials(environment).credentials(refreshing: false).found
        }
        #expect(try await credentials([:]) == nil)
        #expect(try await credentials(["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""]) == nil)
        let keys = ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S"]
        #expect(try await credentials(keys) == Credentials(accessKeyID: "A", secretAccessKey: "S"))
        #expect(
            try await credentials(keys.merging(["AWS_SESSION_TOKEN": "T"]) { $1 })
                == Credentials(accessKeyID: "A", secretAccessKey: "S", sessionToken: "T"))
        for half in keys {
            let error = await #expect(throws: DynamoDBError.self) { try await credentials([half.key: half.value]) }
            #expect(error.map { "\($0)".contains("set both") } == true)
        }
    }

    @Test("A profile's keys come from the credentials file before the config file, token included")
    func profile() async throws {
        let files = try Files(
            config:
                "[profile both]\r\naws_access_key_id = C\r\naws_secret_access_key = CS\r\n[profile config]\naws_access_key_id=D\naws_secret_access_key=DS\n",
            credentials: "[both]\r\naws_access_key_id = A\r\naws_secret_access_key = S\r\naws_session_token = T\r\n")
        #expect(
            try await files.credentials("both")
                == Credentials(accessKeyID: "A", secretAccessKey: "S", sessionToken: "T"))
        #expect(try await files.credentials("config") == Credentials(accessKeyID: "D", secretAccessKey: "DS"))
    }

    @Test("Keys in the environment may have an end")
    func environmentEnd() async throws {
        let environment = [
            "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S", "AWS_CREDENTIAL_EXPIRATION": "2030-01-01T00:00:00Z",
        ]
        let found = try await EnvironmentCredentials(environment).credentials(refreshing: false).found
        #expect(found?.expiration == Timestamp("2030-01-01T00:00:00Z"))
    }

    @Test("The default profile may be missing; one that somebody named may not")
    func missing() async throws {
        let files = try Files(config: "[profile x]\nregion=r\n", credentials: "")
        #expect(try await files.credentials("default", isNamed: false) == nil)
        let error = await #expect(throws: DynamoDBError.self) { try await files.credentials("y") }
        #expect(error.map { "\($0)".contains("profile \"y\"") && "\($0)".hasSuffix("they hold x") } == true)
        #expect(try await files.credentials("x") == nil, "it is there, and leaves it to the next")
    }

    @Test("A half-filled profile is an error, and none goes on to another place")
    func half() async throws {
        let files = try Files(
            config: "[profile x]\naws_access_key_id=A\naws_secret_access_key=S\n",
            credentials: "[x]\naws_access_key_id=B\n")
        let error = await #expect(throws: DynamoDBError.self) { try await files.credentials("x") }
        #expect(error.map { "\($0)".contains("has aws_access_key_id, but no aws_secret_access_key") } == true)
    }

    @Test(
        "Signing in isn't supported, and the error says so",
        arguments: ["sso_session", "sso_start_url", "login_session"])
    func unsupported(way: String) async throws {
        let files = try Files(config: "[default]\n\(way) = something\n", credentials: "")
        let error = await #expect(throws: DynamoDBError.self) { try await files.credentials("default", isNamed: false) }
        #expect(error.map { "\($0)".contains("by signing in (\(way)), which is not supported") } == true)
        let keys = try Files(
            config: "[default]\n\(way) = something\n",
            credentials: "[default]\naws_access_key_id=A\naws_secret_access_key=S\n")
        #expect(try await keys.credentials("default")?.accessKeyID == "A")
    }

    @Test("A role behind a device's code is refused, since nobody can type it")
    func device() async throws {
        let files = try Files(
            config: "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default\nmfa_serial = m\n",
            credentials: "")
        let error = await #expect(throws: DynamoDBError.self) {
            try await files.provider("default", place: .roleOfProfile).credentials(refreshing: false)
        }
        #expect(error.map { "\($0)".contains("mfa_serial") } == true)
    }

    @Test("Nothing anywhere names each place and why it has none, and that an emulator takes any")
    func nothing() async throws {
        let files = try Files(config: "", credentials: "")
        let environment = [
            "HOME": files.folder.path, "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "eu-west-1",
        ]
        let client = try DynamoDBClient.make(SourceConfiguration(), environment: environment)
        let error = await #expect(throws: DynamoDBError.self) { try await client.checkCredentials() }
        await client.shutdown()
        let text = try #require(error.map { "\($0)" })
        for part in [
            "environment: AWS_ACCESS_KEY_ID is not set", "\"default\" has no role_arn",
            "web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set",
            "profile \"default\": it is neither in", "container: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor",
            "instance metadata: AWS_EC2_METADATA_DISABLED is true", "AWS_ACCESS_KEY_ID=local",
        ] { #expect(text.contains(part), "\(part) in \(text)") }
        #expect(error?.exitCode == 78 && error?.isRetryable == false)
    }

    @Test("Files are read again only once their keys were refused")
    func refresh() async throws {
        let files = try Files(config: "", credentials: "[default]\naws_access_key_id=A\naws_secret_access_key=S\n")
        let chain = CredentialsChain([files.provider("default", isNamed: false)])
        let old = try await chain.credentials()
        try files.write(credentials: "[default]\naws_access_key_id=B\naws_secret_access_key=S\n")
        #expect(try await chain.credentials() == old)
        #expect(try await chain.credentials(insteadOf: old).accessKeyID == "B")
        #expect(try await chain.credentials(insteadOf: old).accessKeyID == "B", "somebody else has refreshed already")
    }

    /// Shared files in a folder of their own, removed in the end.
    private final class Files {
        let folder: URL
        let files: SharedFiles

        init(config: String, credentials: String) throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("shake-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            files = SharedFiles(environment: [
                "HOME": folder.path, "AWS_CONFIG_FILE": "~/config",
                "AWS_SHARED_CREDENTIALS_FILE": folder.appendingPathComponent("credentials").path,
            ])
            try Data(config.utf8).write(to: folder.appendingPathComponent("config"))
            try write(credentials: credentials)
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func write(credentials: String) throws {
            try Data(credentials.utf8).write(to: folder.appendingPathComponent("credentials"))
        }

        func provider(
            _ profile: String, isNamed: Bool = true, place: CredentialsPlace = .profile
        ) -> ProfileCredentials {
            ProfileCredentials(files: files, profile: profile, isNamed: isNamed, place: place) { way in
                if case .keys(let credentials) = way { FixedCredentials([credentials]) } else { FixedCredentials([]) }
            }
        }

        func credentials(_ profile: String, isNamed: Bool = true) async throws(DynamoDBError) -> Credentials? {
            try await provider(profile, isNamed: isNamed).credentials(refreshing: false).found
        }
    }
}
