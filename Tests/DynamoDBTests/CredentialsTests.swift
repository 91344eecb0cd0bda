import Foundation
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
            try await EnvironmentCredentials(environment).credentials(refreshing: false)
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

    @Test("The default profile may be missing; one that somebody named may not")
    func missing() async throws {
        let files = try Files(config: "[profile x]\nregion=r\n", credentials: "")
        #expect(try await files.credentials("default", isNamed: false) == nil)
        let error = await #expect(throws: DynamoDBError.self) { try await files.credentials("y") }
        #expect(error.map { "\($0)".contains("profile \"y\"") && "\($0)".hasSuffix("they hold x") } == true)
        let empty = await #expect(throws: DynamoDBError.self) { try await files.credentials("x") }
        #expect(empty.map { "\($0)".contains("no aws_access_key_id") } == true)
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
        "Ways that aren't known yet are named",
        arguments: ["role_arn", "sso_session", "sso_start_url", "credential_process", "web_identity_token_file"])
    func unsupported(way: String) async throws {
        let files = try Files(config: "[default]\n\(way) = something\n", credentials: "")
        let error = await #expect(throws: DynamoDBError.self) { try await files.credentials("default", isNamed: false) }
        #expect(error.map { "\($0)".contains("\(way), which is not supported yet") } == true)
    }

    @Test("Nothing anywhere says where to put them, and that an emulator takes any")
    func nothing() async throws {
        let files = try Files(config: "", credentials: "")
        let chain = CredentialsChain([
            EnvironmentCredentials([:]), ProfileCredentials(files: files.files, profile: "default", isNamed: false),
        ])
        let error = await #expect(throws: DynamoDBError.self) { try await chain.credentials() }
        #expect(error.map { "\($0)".contains("AWS_ACCESS_KEY_ID=local") && $0.exitCode == 78 } == true)
    }

    @Test("Files are read again only once their keys were refused")
    func refresh() async throws {
        let files = try Files(config: "", credentials: "[default]\naws_access_key_id=A\naws_secret_access_key=S\n")
        let chain = CredentialsChain([ProfileCredentials(files: files.files, profile: "default", isNamed: false)])
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

        func credentials(_ profile: String, isNamed: Bool = true) async throws -> Credentials? {
            try await ProfileCredentials(files: files, profile: profile, isNamed: isNamed).credentials(
                refreshing: false)
        }
    }
}
