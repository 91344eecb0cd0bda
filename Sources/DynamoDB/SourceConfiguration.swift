internal import Curl

/// What was asked for by flags and the configuration file. It goes before everything else.
package struct SourceConfiguration: Hashable, Sendable {
    package var region: String?
    /// Both services' endpoint.
    package var endpoint: String?
    package var profile: String?
    /// A role that the credentials found are only to assume, as an ARN.
    package var role: String?
    /// What the role's owner may ask of who assumes it.
    package var externalID: String?
    /// What to say in an error where region and endpoint are set.
    package var regionSetting = "--region"
    package var endpointSetting = "the source endpoint"

    /// How an endpoint that is none stands in an error, without a password that may be in it.
    package static func quoted(_ endpoint: String) -> String {
        HTTPURL.mayBeRepeated(endpoint) ? "'\(endpoint)'" : "another text"
    }

    package init(region: String? = nil, endpoint: String? = nil, profile: String? = nil) {
        self.region = region
        self.endpoint = endpoint
        self.profile = profile
    }
}
