/// What was asked for by flags and the configuration file. It goes before everything else.
package struct SourceConfiguration: Hashable, Sendable {
    package var region: String?
    /// Both services' endpoint.
    package var endpoint: String?
    package var profile: String?

    package init(region: String? = nil, endpoint: String? = nil, profile: String? = nil) {
        self.region = region
        self.endpoint = endpoint
        self.profile = profile
    }
}
