import Curl
import StreamModel
import Testing

@testable import DynamoDB

/// Sources: AWS SDKs and Tools Reference Guide; endpoint rule sets of the two services in botocore.
@Suite("Where the source is")
struct ResolvedSourceTests {
    private struct Row {
        let region: String
        var environment: [String: String] = [:]
        let tables: String
        let streams: String
    }

    @Test("Each region has its hosts, by partition, FIPS and dual stack, as botocore has them")
    func hosts() throws {
        let regions = [
            "us-east-1", "eu-central-1", "ap-southeast-7", "mx-central-1", "cn-north-1", "cn-northwest-1",
            "us-gov-west-1",
            "us-gov-east-1", "eusc-de-east-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1",
            "xx-new-1",
        ]
        let theirs: [String: [String]] = try Botocore.run(Self.script, regions)
        for region in regions {
            for fips in [false, true] {
                for dualStack in [false, true] {
                    let ours = Service.allCases.map {
                        "https://" + $0.host(region: region, fips: fips, dualStack: dualStack)
                    }
                    #expect(
                        ours == theirs["\(region) \(fips) \(dualStack)"],
                        "\(region), FIPS \(fips), dual stack \(dualStack)")
                }
            }
        }
    }

    @Test("Streams is joined by a hyphen with dual stack, and GovCloud's standard host is its FIPS host")
    func oddities() throws {
        let rows = [
            Row(
                region: "us-east-1", environment: ["AWS_USE_DUALSTACK_ENDPOINT": "true"],
                tables: "https://dynamodb.us-east-1.api.aws/", streams: "https://streams-dynamodb.us-east-1.api.aws/"),
            Row(
                region: "us-east-1", environment: ["AWS_USE_FIPS_ENDPOINT": "TRUE"],
                tables: "https://dynamodb-fips.us-east-1.amazonaws.com/",
                streams: "https://streams.dynamodb-fips.us-east-1.amazonaws.com/"),
            Row(
                region: "us-gov-west-1", environment: ["AWS_USE_FIPS_ENDPOINT": "true"],
                tables: "https://dynamodb.us-gov-west-1.amazonaws.com/",
                streams: "https://streams.dynamodb.us-gov-west-1.amazonaws.com/"),
            Row(
                region: "cn-north-1", tables: "https://dynamodb.cn-north-1.amazonaws.com.cn/",
                streams: "https://streams.dynamodb.cn-north-1.amazonaws.com.cn/"),
            Row(
                region: "eusc-de-east-1", tables: "https://dynamodb.eusc-de-east-1.amazonaws.eu/",
                streams: "https://streams.dynamodb.eusc-de-east-1.amazonaws.eu/"),
            Row(region: "local", tables: "http://localhost:8000/", streams: "http://localhost:8000/"),
        ]
        for row in rows {
            let source = try Self.resolve(SourceConfiguration(region: row.region), row.environment)
            #expect(source.tables.text == row.tables)
            #expect(source.streams.text == row.streams)
            #expect(source.region == row.region)
            #expect(source.signingRegion == (row.region == "local" ? "us-east-1" : row.region))
        }
    }

    @Test("The region comes from the flag, AWS_REGION, AWS_DEFAULT_REGION, the profile: the first that is set")
    func region() throws {
        let config = "[default]\nregion = profile-1\n[profile other]\nregion = other-1\n"
        var environment = ["AWS_REGION": "one-1", "AWS_DEFAULT_REGION": "two-1"]
        #expect(try Self.resolve(SourceConfiguration(region: "flag-1"), environment, config: config).region == "flag-1")
        #expect(try Self.resolve(SourceConfiguration(), environment, config: config).region == "one-1")
        environment["AWS_REGION"] = ""
        #expect(try Self.resolve(SourceConfiguration(), environment, config: config).region == "two-1")
        environment["AWS_DEFAULT_REGION"] = nil
        #expect(try Self.resolve(SourceConfiguration(), environment, config: config).region == "profile-1")
        #expect(
            try Self.resolve(SourceConfiguration(profile: "other"), environment, config: config).region == "other-1")
        environment["AWS_PROFILE"] = "other"
        #expect(try Self.resolve(SourceConfiguration(), environment, config: config).region == "other-1")
    }

    @Test("An endpoint comes from the flag, the service's variable, the common one, the profile: the first that is set")
    func endpoint() throws {
        let config = """
            [default]
            region = eu-west-1
            endpoint_url = http://profile:1
            services = here
            [services here]
            dynamodb =
                endpoint_url = http://service:2
            """
        var environment = [
            "AWS_ENDPOINT_URL_DYNAMODB": "http://tables:3", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": "http://streams:4",
            "AWS_ENDPOINT_URL": "http://common:5",
        ]
        func hosts(_ flag: String? = nil) throws -> [String] {
            let source = try Self.resolve(SourceConfiguration(endpoint: flag), environment, config: config)
            return [source.tables.authority, source.streams.authority]
        }
        #expect(try hosts("http://flag:6") == ["flag:6", "flag:6"])
        #expect(try hosts() == ["tables:3", "streams:4"])
        environment["AWS_ENDPOINT_URL_DYNAMODB_STREAMS"] = nil
        #expect(try hosts() == ["tables:3", "common:5"], "the tables' variable doesn't move Streams")
        environment["AWS_ENDPOINT_URL_DYNAMODB"] = nil
        environment["AWS_ENDPOINT_URL"] = nil
        #expect(try hosts() == ["service:2", "profile:1"])
        environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true"
        #expect(try hosts() == ["dynamodb.eu-west-1.amazonaws.com", "streams.dynamodb.eu-west-1.amazonaws.com"])
        #expect(try hosts("http://flag:6") == ["flag:6", "flag:6"])
    }

    @Test(
        "What can't work is refused with what is wrong",
        arguments: [
            (SourceConfiguration(), [:], "no AWS region"),
            (SourceConfiguration(region: "eu west"), [:], "\"eu west\" can't be an AWS region"),
            (SourceConfiguration(region: "eu-1/../x"), [:], "can't be an AWS region"),
            (
                SourceConfiguration(region: "r-1", endpoint: "localhost:8000"), [:],
                "must begin with http:// or https://"
            ),
            (SourceConfiguration(region: "r-1", endpoint: "ftp://h"), [:], "must begin with http:// or https://"),
            (SourceConfiguration(region: "r-1", endpoint: "http://"), [:], "is no URL"),
            (SourceConfiguration(region: "r-1", endpoint: "http://h:99999"), [:], "port number"),
            (SourceConfiguration(region: "r-1", endpoint: "http://u:secret@h"), [:], "leave them out"),
            (SourceConfiguration(region: "r-1", endpoint: "http://h/x"), [:], "path or query"),
            (SourceConfiguration(region: "r-1", endpoint: "http://h?x=1"), [:], "path or query"),
            (SourceConfiguration(region: "r-1"), ["AWS_ENDPOINT_URL": "nonsense"], "AWS_ENDPOINT_URL"),
            (
                SourceConfiguration(region: "r-1", endpoint: "http://h"), ["AWS_USE_FIPS_ENDPOINT": "true"],
                "can't both be had"
            ),
            (SourceConfiguration(region: "local"), ["AWS_USE_DUALSTACK_ENDPOINT": "true"], "no FIPS or dual-stack"),
            (SourceConfiguration(region: "r-1"), ["AWS_USE_FIPS_ENDPOINT": "yes"], "must be true or false"),
            (SourceConfiguration(region: "r-1", profile: "nobody"), [:], "profile \"nobody\" is neither in"),
        ])
    func refused(configuration: SourceConfiguration, environment: [String: String], text: String) throws {
        let error = try #require(throws: DynamoDBError.self) { try Self.resolve(configuration, environment) }
        #expect("\(error)".contains(text), "\(error)")
        #expect(!"\(error)".contains("secret"))
        #expect(error.exitCode == 78)
    }

    private static func resolve(
        _ configuration: SourceConfiguration, _ environment: [String: String], config: String = "",
        credentials: String = ""
    ) throws -> ResolvedSource {
        let profiles = Profiles(
            config: try ConfigurationText(Array(config.utf8), path: "config"),
            credentials: try ConfigurationText(Array(credentials.utf8), path: "credentials"),
            files: SharedFiles(environment: ["HOME": "/home/x"]))
        return try ResolvedSource(configuration, environment: environment, profiles: profiles)
    }

    private static let script = """
        import json, sys
        from botocore.session import Session
        from botocore.endpoint_provider import EndpointProvider
        loader = Session().get_component('data_loader')
        partitions = loader.load_data('partitions')
        rules = [EndpointProvider(loader.load_service_model(s, 'endpoint-rule-set-1'), partitions)
                 for s in ('dynamodb', 'dynamodbstreams', 'sts')]
        out = {}
        for region in json.load(sys.stdin):
            for fips in (False, True):
                for dual in (False, True):
                    out[f'{region} {str(fips).lower()} {str(dual).lower()}'] = [
                        r.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual).url for r in rules]
        json.dump(out, sys.stdout)
        """
}
