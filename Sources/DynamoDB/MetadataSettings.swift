internal import Curl

/// Where and how an instance's metadata service is asked.
///
/// Source: SDKs and Tools Reference Guide, "IMDS credential provider"; botocore, IMDSFetcher.
struct MetadataSettings: Hashable, Sendable {
    /// Without a slash at its end.
    let base: String
    /// Of one try. In its own network the service answers within milliseconds, and elsewhere nobody does.
    let timeout: Duration
    let attempts: Int
    /// Whether it may be asked without a token (IMDSv1).
    let allowsV1: Bool

    /// - Parameter setting: of the profile.
    /// - Returns: `nil` where it isn't to be asked (AWS_EC2_METADATA_DISABLED).
    /// - Throws: `.configuration`.
    init?(_ environment: [String: String], _ setting: (String) -> String?) throws(DynamoDBError) {
        func text(_ variable: String, _ name: String) -> String? { environment[set: variable] ?? setting(name) }
        guard environment[set: "AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else { return nil }
        switch text("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled")?.lowercased() {
        case nil, "false": allowsV1 = true
        case "true": allowsV1 = false
        case let other?:
            throw .configuration(
                "AWS_EC2_METADATA_V1_DISABLED (or its setting in the profile) is \"\(other)\": it must be true or false"
            )
        }
        if let url = text("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint") {
            do throws(CurlError) {
                var text = try HTTPURL(url).text
                while text.hasSuffix("/") { text.removeLast() }
                base = text
            } catch {
                throw .configuration("AWS_EC2_METADATA_SERVICE_ENDPOINT: \(error); write it as http://169.254.169.254")
            }
        } else {
            let mode = text("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode")
            switch mode?.lowercased() {
            case nil, "ipv4": base = "http://169.254.169.254"
            case "ipv6": base = "http://[fd00:ec2::254]"
            case let other?:
                throw .configuration("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is \"\(other)\": it must be IPv4 or IPv6")
            }
        }
        func number(_ variable: String, _ name: String, _ otherwise: Int) throws(DynamoDBError) -> Int {
            guard let text = text(variable, name) else { return otherwise }
            guard let number = Int(text), (1...60).contains(number) else {
                throw .configuration(
                    "\(variable) (or its setting in the profile) is \"\(text)\": it must be from 1 to 60")
            }
            return number
        }
        timeout = .seconds(try number("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout", 1))
        attempts = try number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts", 2)
    }
}
