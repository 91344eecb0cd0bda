internal import Curl

/// What was asked for by flags and the configuration file. It goes before everything else.
package struct SourceConfiguration: Hashable, Sendable {
    package var region: String?
    /// Both services' endpoint.
    package var endpoint: String?
    package var profile: String?

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
