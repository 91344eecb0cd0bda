internal import ArgumentParser

/// Where the source is, for the commands that talk to it. Credentials are never options: they would show in `ps`.
struct SourceOptions: ParsableArguments {
    @Option(
        help: .init(
            "The endpoint of DynamoDB and of its Streams, such as http://localhost:8000 (default: that of the region).",
            valueName: "url"))
    var sourceEndpoint: String?

    @Option(help: .init("The region (else AWS_REGION, AWS_DEFAULT_REGION, or the profile's).", valueName: "region"))
    var region: String?

    @Option(
        help: .init("The profile in ~/.aws that gives credentials and region (else AWS_PROFILE).", valueName: "name"))
    var profile: String?

    /// - Throws: `.usage`.
    func add(to settings: inout Settings) throws(ShakectlError) {
        try settings.take(sourceEndpoint, for: .endpoint)
        try settings.take(region, for: .region)
        try settings.take(profile, for: .profile)
    }
}
