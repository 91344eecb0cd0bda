/// A group of regions with domains of its own. Source: botocore 1.43.11, partitions.json.
struct Partition: Hashable, Sendable {
    let domain: String
    let dualStackDomain: String
    /// Its standard DynamoDB endpoints are the FIPS ones (GovCloud).
    var isFIPSByDefault = false
    /// With dual stack, `streams` is joined to the host by a hyphen; elsewhere by a dot, as without.
    var hyphenatesStreams = false

    static func of(region: String) -> Partition {
        prefixes.first { region.hasPrefix($0.prefix) }?.partition ?? commercial
    }

    /// Under which all of its services are.
    static let domains = Set(([commercial] + prefixes.map(\.partition)).flatMap { [$0.domain, $0.dualStackDomain] })

    /// Also for regions that are newer than this list.
    private static let commercial = Partition(
        domain: "amazonaws.com", dualStackDomain: "api.aws", hyphenatesStreams: true)

    /// Where STS's one old endpoint was the default. Source: botocore, LEGACY_GLOBAL_STS_REGIONS.
    static let legacyRegions: Set = [
        "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1",
        "eu-north-1",
        "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    ]

    private static let prefixes: [(prefix: String, partition: Partition)] = [
        (
            "cn-",
            Partition(
                domain: "amazonaws.com.cn", dualStackDomain: "api.amazonwebservices.com.cn", hyphenatesStreams: true)
        ),
        (
            "us-gov-",
            Partition(
                domain: "amazonaws.com", dualStackDomain: "api.aws", isFIPSByDefault: true, hyphenatesStreams: true)
        ),
        ("eusc-", Partition(domain: "amazonaws.eu", dualStackDomain: "api.amazonwebservices.eu")),
        ("us-iso-", Partition(domain: "c2s.ic.gov", dualStackDomain: "api.aws.ic.gov")),
        ("us-isob-", Partition(domain: "sc2s.sgov.gov", dualStackDomain: "api.aws.scloud")),
        ("eu-isoe-", Partition(domain: "cloud.adc-e.uk", dualStackDomain: "api.cloud-aws.adc-e.uk")),
        ("us-isof-", Partition(domain: "csp.hci.ic.gov", dualStackDomain: "api.aws.hci.ic.gov")),
    ]
}

extension Service {
    /// The service's host in a region. Source: the services' endpoint rule sets in botocore 1.43.11.
    func host(region: String, fips: Bool, dualStack: Bool) -> String {
        let partition = Partition.of(region: region)
        let domain = dualStack ? partition.dualStackDomain : partition.domain
        let service = self == .roles ? "sts" : "dynamodb"
        let name = fips && !(partition.isFIPSByDefault && !dualStack) ? "\(service)-fips" : service
        return switch self {
        case .tables, .roles: "\(name).\(region).\(domain)"
        case .streams: "streams\(dualStack && partition.hyphenatesStreams ? "-" : ".")\(name).\(region).\(domain)"
        }
    }
}
