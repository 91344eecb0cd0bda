import Curl
import Foundation
import StreamModel
import Testing

@testable import DynamoDB

/// Where the services are, as botocore finds them from the same environment and files.
@Suite("The order of endpoints")
struct EndpointTableTests {
    struct Row: Codable {
        let name: String
        var environment: [String: String] = [:]
        var config = "[default]\nregion = eu-west-1\n"
        var credentials = ""
        var profile: String?
        var endpoint: String?
        /// Where we differ on purpose.
        var ours: [String]?
    }

    private static let refused = ["refused"]

    private static let services = """
        [default]
        region = eu-west-1
        endpoint_url = http://profile:1
        services = here
        [services here]
        dynamodb =
            endpoint_url = http://tables:2
        sts =
            endpoint_url = http://sts:3

        """

    static let rows: [Row] = [
        Row(name: "plain"),
        Row(name: "the environment's region", environment: ["AWS_DEFAULT_REGION": "ap-southeast-2"]),
        Row(name: "the profile's region", config: "[profile x]\nregion = cn-north-1\n", profile: "x"),
        Row(
            name: "a profile by the environment", environment: ["AWS_PROFILE": "x"],
            config: "[profile x]\nregion = us-gov-west-1\n"),
        Row(
            name: "by the older variable", environment: ["AWS_DEFAULT_PROFILE": "x"],
            config: "[profile x]\nregion = us-gov-west-1\n"),
        Row(name: "the credentials file has a region, too", credentials: "[default]\nregion = eu-north-1\n"),
        Row(name: "all by one variable", environment: ["AWS_ENDPOINT_URL": "http://all:4"]),
        Row(name: "tables", environment: ["AWS_ENDPOINT_URL_DYNAMODB": "http://t:5"]),
        Row(name: "streams", environment: ["AWS_ENDPOINT_URL_DYNAMODB_STREAMS": "http://s:6"]),
        Row(name: "roles", environment: ["AWS_ENDPOINT_URL_STS": "http://r:7"]),
        Row(
            name: "one beats all",
            environment: ["AWS_ENDPOINT_URL": "http://all:4", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": "http://s:6"]),
        Row(name: "the files' services", config: services),
        Row(
            name: "the environment beats the files", environment: ["AWS_ENDPOINT_URL": "http://all:4"], config: services
        ),
        Row(
            name: "all is ignored",
            environment: ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_ENDPOINT_URL": "http://all:4"],
            config: services),
        Row(
            name: "all is ignored by the profile",
            config: services.replacing(
                "services = here", with: "services = here\nignore_configured_endpoint_urls = true")),
        Row(name: "it is not ignored", environment: ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"], config: services),
        Row(name: "services that aren't there", config: "[default]\nregion = eu-west-1\nservices = nowhere\n"),
        Row(name: "services of another profile", config: services + "[profile x]\nregion = eu-west-1\n", profile: "x"),
        Row(name: "dual stack", environment: ["AWS_USE_DUALSTACK_ENDPOINT": "true"]),
        Row(
            name: "dual stack by the profile", config: "[default]\nregion = eu-west-1\nuse_dualstack_endpoint = true\n"),
        Row(
            name: "not, by the environment", environment: ["AWS_USE_DUALSTACK_ENDPOINT": "false"],
            config: "[default]\nregion = eu-west-1\nuse_dualstack_endpoint = true\n"),
        Row(name: "FIPS", environment: ["AWS_USE_FIPS_ENDPOINT": "true", "AWS_DEFAULT_REGION": "us-east-1"]),
        Row(name: "FIPS by the profile", config: "[default]\nregion = us-east-2\nuse_fips_endpoint = true\n"),
        Row(
            name: "both",
            environment: [
                "AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true",
                "AWS_DEFAULT_REGION": "us-east-1",
            ]),
        Row(
            name: "GovCloud with both",
            environment: [
                "AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true",
                "AWS_DEFAULT_REGION": "us-gov-east-1",
            ]),
        Row(
            name: "China with dual stack",
            environment: ["AWS_USE_DUALSTACK_ENDPOINT": "true", "AWS_DEFAULT_REGION": "cn-northwest-1"]),
        Row(name: "the old endpoint of roles", environment: ["AWS_STS_REGIONAL_ENDPOINTS": "legacy"]),
        Row(
            name: "in a region that never had it",
            environment: ["AWS_STS_REGIONAL_ENDPOINTS": "legacy", "AWS_DEFAULT_REGION": "eu-south-2"]),
        Row(name: "by the profile", config: "[default]\nregion = us-west-2\nsts_regional_endpoints = legacy\n"),
        Row(
            name: "the old one and a set one",
            environment: ["AWS_STS_REGIONAL_ENDPOINTS": "legacy", "AWS_ENDPOINT_URL_STS": "http://r:7"]),
        Row(name: "no region", config: ""),
        Row(name: "Europe's own partition", environment: ["AWS_DEFAULT_REGION": "eusc-de-east-1"]),
        // botocore takes the endpoint and says nothing of FIPS, which is not had then.
        Row(
            name: "FIPS and a set endpoint",
            environment: ["AWS_USE_FIPS_ENDPOINT": "true", "AWS_ENDPOINT_URL": "http://all:4"],
            ours: refused),
    ]

    private static let script = """
        import json, os, sys
        from botocore.config import Config
        from botocore.session import Session
        class Sent(Exception): pass
        out = []
        for row in json.load(sys.stdin):
            for name in list(os.environ):
                if name.startswith('AWS_') or name == 'HOME': del os.environ[name]
            os.environ.update(row['environment'])
            found = []
            def note(request, **_):
                # Credential=A/20260101/eu-west-1/sts/aws4_request
                found.append(request.url.rstrip('/') + ' ' + request.headers['Authorization'].decode().split('/')[2])
                raise Sent()
            try:
                session = Session(profile=row.get('profile'))
                session.set_credentials('A', 'S')
                for name, call in [('dynamodb', 'list_tables'), ('dynamodbstreams', 'list_streams'),
                                   ('sts', 'get_caller_identity')]:
                    client = session.create_client(name, config=Config(retries={'total_max_attempts': 1}))
                    client.meta.events.register_first('before-send.*', note)
                    try: getattr(client, call)()
                    except Sent: pass
                out.append(found)
            except Exception as error:
                out.append(['refused'])
        json.dump(out, sys.stdout)
        """

    @Test("It is botocore's, row by row")
    func table() throws {
        var files: [AWSFiles] = []
        var asked: [Row] = []
        for row in Self.rows {
            let made = try AWSFiles(config: row.config, credentials: row.credentials)
            files.append(made)
            var full = row
            full.environment = made.environment.merging(row.environment) { $1 }
            asked.append(full)
        }
        let theirs: [[String]] = try Botocore.run(Self.script, asked)
        for (row, theirs) in zip(asked, theirs) {
            let ours: [String]
            do {
                let source = try ResolvedSource(
                    SourceConfiguration(region: nil, profile: row.profile), environment: row.environment,
                    profiles: try SharedFiles(environment: row.environment).read())
                ours = zip(
                    [source.tables, source.streams, source.roles],
                    [source.signingRegion, source.signingRegion, source.rolesRegion]
                ).map { "\($0.text.dropLast()) \($1)" }
            } catch {
                ours = Self.refused
            }
            #expect(ours == row.ours ?? theirs, "\(row.name): botocore says \(theirs)")
        }
        #expect(Set(theirs).count > 20)
    }

    @Test("At the old endpoint of roles requests are signed as us-east-1's")
    func legacy() throws {
        func roles(_ environment: [String: String]) throws -> (String, String) {
            let source = try ResolvedSource(
                SourceConfiguration(region: "eu-west-1"), environment: environment,
                profiles: try SharedFiles(environment: ["HOME": "/nonexistent"]).read())
            return (source.roles.host, source.rolesRegion)
        }
        #expect(try roles(["AWS_STS_REGIONAL_ENDPOINTS": "legacy"]) == ("sts.amazonaws.com", "us-east-1"))
        #expect(try roles([:]) == ("sts.eu-west-1.amazonaws.com", "eu-west-1"))
        let error = #expect(throws: DynamoDBError.self) { try roles(["AWS_STS_REGIONAL_ENDPOINTS": "old"]) }
        #expect(error.map { "\($0)".contains("AWS_STS_REGIONAL_ENDPOINTS") } == true)
    }
}
