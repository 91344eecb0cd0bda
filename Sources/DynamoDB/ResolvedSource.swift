package import Curl

/// Where the source is and in which region's name requests to it are signed.
package struct ResolvedSource: Hashable, Sendable {
    package let region: String
    /// Other than `region` only for `local`.
    package let signingRegion: String
    package let tables: HTTPURL
    package let streams: HTTPURL
    /// Where roles are assumed (STS).
    package let roles: HTTPURL
    /// A file of certificates to trust (AWS_CA_BUNDLE).
    package let certificates: String?
    /// The profile in effect, and whether somebody named it.
    let profile: String
    let isProfileNamed: Bool

    /// One endpoint for both services, with nothing looked up.
    package init(region: String, endpoint: HTTPURL) {
        self.region = region
        signingRegion = region
        tables = endpoint
        streams = endpoint
        roles = endpoint
        certificates = nil
        profile = "default"
        isProfileNamed = false
    }

    /// Settles what is asked for against the environment and the shared files, as the SDKs do: the explicit setting
    /// first, then environment, then profile.
    ///
    /// Source: AWS SDKs and Tools Reference Guide, "AWS Region", "Service-specific endpoints", "FIPS and dual-stack".
    ///
    /// - Throws: `.configuration` that says what is missing or wrong, and where to set it.
    init(
        _ configuration: SourceConfiguration, environment: [String: String], profiles: Profiles
    ) throws(DynamoDBError) {
        let named = configuration.profile?.nonEmpty ?? environment[set: "AWS_PROFILE"]
        let profile = named ?? "default"
        guard named == nil || profiles.exists(profile) else { throw profiles.missing(profile) }
        func setting(_ name: String) -> String? { profiles.setting(name, of: profile) }

        guard
            let region = configuration.region?.nonEmpty ?? environment[set: "AWS_REGION"]
                ?? environment[set: "AWS_DEFAULT_REGION"] ?? setting("region")
        else {
            throw .configuration(
                """
                no AWS region: give \(configuration.regionSetting), or set AWS_REGION, or `region` of profile "\(profile)" in \
                \(profiles.files.configPath)
                """
            )
        }
        guard region.utf8.count <= 63, region.utf8.allSatisfy(\.isLabelByte) else {
            throw .configuration("\"\(region)\" can't be an AWS region: they look like eu-central-1")
        }

        let fips = try Self.flag("AWS_USE_FIPS_ENDPOINT", environment, setting("use_fips_endpoint"))
        let dualStack = try Self.flag("AWS_USE_DUALSTACK_ENDPOINT", environment, setting("use_dualstack_endpoint"))
        let ignoring = try Self.flag(
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", environment, setting("ignore_configured_endpoint_urls"))

        func endpoint(_ service: Service) throws(DynamoDBError) -> HTTPURL {
            let given = Self.given(
                service, service == .roles ? SourceConfiguration() : configuration,
                ignoring ? nil : (environment, profiles, profile))
            if let given {
                guard !fips, !dualStack else {
                    throw .configuration(
                        """
                        \(given.setting) and a FIPS or dual-stack endpoint can't both be had: unset \
                        AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, or the endpoint
                        """
                    )
                }
                return try Self.url(given.url, setting: given.setting)
            }
            guard region != "local" || service == .roles else {
                guard !fips, !dualStack else {
                    throw .configuration("region local has no FIPS or dual-stack endpoint")
                }
                return try Self.url("http://localhost:8000", setting: "region local")
            }
            let host = service.host(region: region == "local" ? "us-east-1" : region, fips: fips, dualStack: dualStack)
            return try Self.url("https://\(host)", setting: "region \(region)")
        }
        self.region = region
        signingRegion = region == "local" ? "us-east-1" : region
        tables = try endpoint(.tables)
        streams = try endpoint(.streams)
        roles = try endpoint(.roles)
        certificates = environment[set: "AWS_CA_BUNDLE"] ?? setting("ca_bundle")
        self.profile = profile
        isProfileNamed = named != nil
    }

    /// The endpoint that somebody set, and by what.
    private static func given(
        _ service: Service, _ configuration: SourceConfiguration,
        _ elsewhere: (environment: [String: String], profiles: Profiles, profile: String)?
    ) -> (url: String, setting: String)? {
        if let url = configuration.endpoint?.nonEmpty { return (url, configuration.endpointSetting) }
        guard let (environment, profiles, profile) = elsewhere else { return nil }
        for variable in ["AWS_ENDPOINT_URL_\(service.id.uppercased())", "AWS_ENDPOINT_URL"] {
            if let url = environment[set: variable] { return (url, variable) }
        }
        if let url = profiles.serviceEndpoint(service.id, of: profile) {
            return (url, "endpoint_url for \(service.id) of profile \"\(profile)\"")
        }
        return profiles.setting("endpoint_url", of: profile).map { ($0, "endpoint_url of profile \"\(profile)\"") }
    }

    private static func url(_ text: String, setting: String) throws(DynamoDBError) -> HTTPURL {
        let url: HTTPURL
        do throws(CurlError) {
            url = try HTTPURL(text)
        } catch .invalidRequest(let reason) {
            throw .configuration("\(setting): \(reason); write it as http://localhost:8000")
        } catch {
            throw .configuration("\(setting): \(error)")
        }
        guard url.path == "/", url.query == nil else {
            throw .configuration(
                "\(setting): \"\(text)\" must end with its host and port: a path or query isn't supported")
        }
        return url
    }

    private static func flag(
        _ variable: String, _ environment: [String: String], _ setting: String?
    ) throws(DynamoDBError) -> Bool {
        guard let text = environment[set: variable] ?? setting else { return false }
        switch text.lowercased() {
        case "true": return true
        case "false": return false
        default:
            throw .configuration("\(variable) (or its setting in the profile) is \"\(text)\": it must be true or false")
        }
    }
}

extension Service {
    /// In names of settings.
    fileprivate var id: String {
        switch self {
        case .tables: "dynamodb"
        case .streams: "dynamodb_streams"
        case .roles: "sts"
        }
    }
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}

extension UInt8 {
    fileprivate var isLabelByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
