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
    /// In whose name requests there are signed.
    let rolesRegion: String
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
        rolesRegion = region
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
        let named = Self.profile(configuration, environment)
        let profile = named ?? "default"
        guard named == nil || profiles.exists(profile) else { throw profiles.missing(profile) }
        func setting(_ name: String) -> String? { profiles.setting(name, of: profile) }

        guard let region = Self.region(configuration, environment, profiles) else {
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
            let given = try Self.given(
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
        let isLegacy = try Self.isLegacy(
            environment[set: "AWS_STS_REGIONAL_ENDPOINTS"] ?? setting("sts_regional_endpoints"))
        let regional = try endpoint(.roles)
        if isLegacy, Partition.legacyRegions.contains(region), regional.host == "sts.\(region).amazonaws.com" {
            roles = try Self.url("https://sts.amazonaws.com", setting: "AWS_STS_REGIONAL_ENDPOINTS")
            rolesRegion = "us-east-1"
        } else {
            (roles, rolesRegion) = (regional, signingRegion)
        }
        certificates = environment[set: "AWS_CA_BUNDLE"] ?? setting("ca_bundle")
        self.profile = profile
        isProfileNamed = named != nil
    }

    /// The profile that somebody named. (Only botocore knows AWS_DEFAULT_PROFILE, and asks it first.)
    static func profile(_ configuration: SourceConfiguration, _ environment: [String: String]) -> String? {
        configuration.profile?.nonEmpty ?? environment[set: "AWS_PROFILE"] ?? environment[set: "AWS_DEFAULT_PROFILE"]
    }

    /// The region, by what is set on this machine.
    static func region(
        _ configuration: SourceConfiguration, _ environment: [String: String], _ profiles: Profiles
    ) -> String? {
        configuration.region?.nonEmpty ?? environment[set: "AWS_REGION"] ?? environment[set: "AWS_DEFAULT_REGION"]
            ?? profiles.setting("region", of: profile(configuration, environment) ?? "default")
    }

    /// Whether roles are assumed at STS's one old endpoint, where the region is one that had it.
    private static func isLegacy(_ text: String?) throws(DynamoDBError) -> Bool {
        switch text?.lowercased() {
        case nil, "regional": return false
        case "legacy": return true
        default:
            throw .configuration(
                "AWS_STS_REGIONAL_ENDPOINTS (or its setting in the profile) must be regional or legacy")
        }
    }

    /// The endpoint that somebody set, and by what.
    private static func given(
        _ service: Service, _ configuration: SourceConfiguration,
        _ elsewhere: (environment: [String: String], profiles: Profiles, profile: String)?
    ) throws(DynamoDBError) -> (url: String, setting: String)? {
        if let url = configuration.endpoint?.nonEmpty { return (url, configuration.endpointSetting) }
        guard let (environment, profiles, profile) = elsewhere else { return nil }
        for variable in ["AWS_ENDPOINT_URL_\(service.id.uppercased())", "AWS_ENDPOINT_URL"] {
            if let url = environment[set: variable] { return (url, variable) }
        }
        if let url = try profiles.serviceEndpoint(service.id, of: profile) {
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
