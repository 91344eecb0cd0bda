import Curl
import Foundation
import StreamModel
import Testing

@testable import DynamoDB

/// Which of the places gives the credentials, as botocore finds them on the same machine.
@Suite("The order of credentials")
struct CredentialsOrderTests {
    struct Row: Codable {
        let name: String
        var environment: [String: String] = [:]
        var config = ""
        var credentials = ""
        var profile: String?
        /// What botocore gives; where we differ on purpose, `ours` says so.
        var ours: String?
    }

    private static let keys = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "secret"]
    private static let token = ["AWS_WEB_IDENTITY_TOKEN_FILE": "FOLDER/token"]
    private static let web = merged(token, ["AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/webrole"])
    private static let container = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/container"]
    private static let refused = "refused"

    // MARK: What stands in the files

    private static func section(_ title: String, _ settings: String...) -> String {
        "[\(title)]\n" + settings.map { "\($0)\n" }.joined()
    }
    private static func role(_ name: String) -> String { "role_arn = arn:aws:iam::123456789012:role/\(name)" }
    private static func source(_ profile: String) -> String { "source_profile = \(profile)" }
    private static func key(_ id: String) -> String { "aws_access_key_id = \(id)\naws_secret_access_key = secret" }
    private static let process =
        #"credential_process = printf %s {\"Version\":1,\"AccessKeyId\":\"PROCESS\",\"SecretAccessKey\":\"secret\"}"#
    private static let file = "web_identity_token_file = FOLDER/token"

    private static let roleConfig = section("default", role("one"), source("base")) + section("profile base", key("BASE"))
    private static let keysOfFile = section("default", key("FILE"))

    private static func merged(_ parts: [String: String]...) -> [String: String] {
        parts.reduce(into: [:]) { $0.merge($1) { $1 } }
    }

    // MARK: The rows

    static let rows: [Row] = [
        Row(name: "nothing but the instance"),
        Row(
            name: "the environment goes before everything", environment: merged(keys, web, container),
            config: roleConfig),
        Row(
            name: "not where a profile was chosen", environment: merged(keys, web, container), config: roleConfig,
            profile: "default"),
        Row(
            name: "the environment names the profile and has keys", environment: merged(keys, ["AWS_PROFILE": "base"]),
            config: roleConfig),
        Row(name: "the environment names the profile", environment: ["AWS_PROFILE": "base"], config: roleConfig),
        Row(name: "a role's profile goes before a web identity", environment: merged(web, container), config: roleConfig),
        Row(
            name: "a web identity goes before keys in files", environment: merged(web, container),
            credentials: keysOfFile),
        Row(
            name: "but a chosen profile is meant", environment: merged(web, container), credentials: keysOfFile,
            profile: "default"),
        Row(name: "keys in files go before the container", environment: container, credentials: keysOfFile),
        Row(name: "the container goes before the instance", environment: container),
        Row(
            name: "the container's token", environment: merged(container, ["AWS_CONTAINER_AUTHORIZATION_TOKEN": "CT"])),
        Row(
            name: "the container's token in a file goes first",
            environment: merged(
                container,
                ["AWS_CONTAINER_AUTHORIZATION_TOKEN": "CT", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "FOLDER/bare"])),
        Row(
            name: "a container by http elsewhere is refused",
            environment: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/container"]),
        Row(
            name: "the credentials file goes before the config file", config: section("default", key("CONFIG")),
            credentials: keysOfFile),
        Row(
            name: "a process goes before keys in the config file", config: section("default", key("CONFIG"), process)),
        Row(
            name: "but behind those in the credentials file", config: section("default", process),
            credentials: keysOfFile),
        Row(name: "a process in the credentials file", credentials: section("default", process)),
        Row(
            name: "a process that fails ends the search", environment: container,
            config: section("default", "credential_process = false")),
        Row(
            name: "a web identity of the profile", config: section("profile w", file, role("profiled")), profile: "w"),
        Row(name: "a web identity without a role is refused", environment: token),
        Row(
            name: "the file from the environment, the role from the profile", environment: token,
            config: section("default", role("mixed"), "web_identity_token_file = /nowhere")),
        Row(
            name: "a web identity whose file is missing is refused",
            environment: merged(web, ["AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token"])),
        Row(
            name: "a role with an external id and a duration",
            config: section("default", role("one"), "external_id = e&1", "duration_seconds = 1200", source("base"))
                + section("profile base", key("BASE"))),
        Row(
            name: "a chain of roles",
            config: section("profile a", role("a"), source("b")) + section("profile b", role("b"), source("c"))
                + section("profile c", key("C")), profile: "a"),
        Row(
            name: "a role's source by a web identity",
            config: section("profile a", role("a"), source("w")) + section("profile w", file, role("w")), profile: "a"),
        Row(
            name: "a role's source by a process",
            config: section("default", role("a"), source("p")) + section("profile p", process)),
        Row(
            name: "a source has keys and a role: its keys count",
            config: section("profile a", role("a"), source("b"))
                + section("profile b", role("b"), source("a"), key("B")), profile: "a"),
        Row(name: "a profile is its own source", config: section("default", role("self"), source("default"), key("FILE"))),
        Row(name: "its own source without keys is refused", config: section("default", role("self"), source("default"))),
        Row(
            name: "a circle is refused",
            config: section("profile a", role("a"), source("b")) + section("profile b", role("b"), source("a")),
            profile: "a"),
        Row(name: "a source that isn't there is refused", config: section("default", role("a"), source("x"))),
        Row(name: "a role without a source is refused", config: section("default", role("a"))),
        Row(
            name: "a role with two is refused",
            config: section("default", role("a"), source("default"), "credential_source = Environment")),
        Row(
            name: "a source without credentials is refused", environment: container,
            config: section("default", role("a"), source("x")) + section("profile x", "region = eu-west-1")),
        Row(name: "a role by the environment", environment: keys, config: roleBy("Environment"), profile: "r"),
        Row(name: "a role by the container", environment: container, config: roleBy("EcsContainer"), profile: "r"),
        Row(name: "a role by the instance", config: roleBy("Ec2InstanceMetadata"), profile: "r"),
        Row(name: "a role by nobody knows whom is refused", config: roleBy("Magic"), profile: "r"),
        Row(name: "a role by an environment without keys is refused", config: roleBy("Environment"), profile: "r"),
        Row(
            name: "a profile with nothing but a region leaves it to the instance",
            config: section("profile r", "region = eu-west-1"), profile: "r"),
        Row(name: "a profile that isn't there is refused", config: section("profile r", "region = eu-west-1"), profile: "x"),
        Row(name: "half of the keys in a file is refused", credentials: section("default", "aws_access_key_id = A")),
        Row(name: "half of the keys in the environment is refused", environment: ["AWS_ACCESS_KEY_ID": "A"]),
        // botocore goes on where the id is missing: a secret that is set and not used would surprise.
        Row(name: "the other half, too", environment: ["AWS_SECRET_ACCESS_KEY": "A"], ours: refused),
        // botocore fails by a token that isn't there; SSO isn't supported here. Both refuse.
        Row(
            name: "SSO is refused", environment: container,
            config: section(
                "default", "sso_start_url = https://x", "sso_region = us-east-1", "sso_account_id = 1",
                "sso_role_name = r")),
        // The old name of the token counts in botocore first; here the new one does.
        Row(
            name: "empty variables are not set",
            environment: ["AWS_ACCESS_KEY_ID": "", "AWS_WEB_IDENTITY_TOKEN_FILE": ""]),
    ]

    private static func roleBy(_ source: String) -> String {
        section("profile r", role("r"), "credential_source = \(source)")
    }

    private static let script = """
        import json, os, sys
        from botocore.session import Session
        given = json.load(sys.stdin)
        out = []
        for row in given:
            for name in list(os.environ):
                if name.startswith(('AWS_', 'HTTP', 'http')) or name == 'HOME': del os.environ[name]
            os.environ.update(row['environment'])
            try:
                credentials = Session(profile=row.get('profile')).get_credentials()
                frozen = credentials and credentials.get_frozen_credentials()
                out.append(frozen.access_key if frozen else 'none')
            except Exception as error:
                out.append('refused')
        json.dump(out, sys.stdout)
        """

    @Test("It is botocore's, row by row")
    func table() async throws {
        let server = TestServer { request, _ in CredentialServices.answer(request) }
        defer { server.stop() }
        var files: [AWSFiles] = []
        var asked: [Row] = []
        for row in Self.rows {
            // botocore would send a line's end with it; we don't.
            let made = try AWSFiles(config: row.config, credentials: row.credentials, token: "WEBTOKEN")
            try made.write("BARE", "bare")
            files.append(made)
            var full = row
            full.environment = made.environment.merging([
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url, "AWS_ENDPOINT_URL_STS": server.url,
                "AWS_DEFAULT_REGION": "eu-central-1",
            ]) { $1 }.merging(
                row.environment.mapValues {
                    $0.replacing("SERVER", with: server.url).replacing("FOLDER", with: made.folder.path)
                }
            ) { $1 }
            asked.append(full)
        }
        let theirs: [String] = try Botocore.run(Self.script, asked)
        #expect(theirs.count == asked.count)
        for (row, theirs) in zip(asked, theirs) {
            let ours: String
            do {
                let client = try DynamoDBClient.make(
                    SourceConfiguration(profile: row.profile), environment: row.environment,
                    retry: Sample.quickRetries)
                ours = try await client.currentCredentials().accessKeyID
                await client.shutdown()
            } catch {
                ours = Self.refused
                #expect(!"\(error)".contains("secret ="), "\(error)")
            }
            #expect(ours == row.ours ?? theirs, "\(row.name): botocore says \(theirs)")
        }
        // A table in which everything is refused would be equal, too.
        #expect(theirs.filter { $0 == Self.refused }.count < 20 && Set(theirs).count > 15, "\(theirs)")
    }

    @Test("Each place has its turn once, and the environment none where a profile was chosen")
    func order() {
        #expect(
            CredentialsPlace.order(isProfileChosen: false) == [
                .environment, .roleOfProfile, .webIdentity, .profile, .container, .instance,
            ])
        #expect(CredentialsPlace.order(isProfileChosen: true) == Array(CredentialsPlace.allCases.dropFirst()))
    }
}
