internal import Curl

/// Where a container's credentials are asked for, and with what.
///
/// Source: SDKs and Tools Reference Guide, "Container credential provider"; botocore, ContainerProvider.
struct ContainerEndpoint: Hashable, Sendable {
    enum Token: Hashable, Sendable {
        case text(String)
        /// Read at each request: EKS writes it anew.
        case file(String)
    }

    static let relativeVariable = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    static let fullVariable = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    static let tokenVariable = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
    static let tokenFileVariable = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"

    let url: HTTPURL
    /// What errors call it: the rest of the URL is as good as a key.
    var place: String { "\(url.scheme)://\(url.authority)" }
    let token: Token?

    /// The relative one goes first.
    ///
    /// - Returns: `nil` where the environment names none.
    /// - Throws: `.credentials` for one that isn't allowed: a token, and what it opens, would go to whoever is there.
    init?(_ environment: [String: String]) throws(DynamoDBError) {
        let variable: String
        let text: String
        if let path = environment[set: Self.relativeVariable] {
            guard path.hasPrefix("/") else {
                throw .credentials("container: \(Self.relativeVariable) must begin with a slash")
            }
            (variable, text) = (Self.relativeVariable, "http://169.254.170.2\(path)")
        } else if let url = environment[set: Self.fullVariable] {
            (variable, text) = (Self.fullVariable, url)
        } else {
            return nil
        }
        do throws(CurlError) { url = try HTTPURL(text) } catch {
            throw .credentials(
                "container: \(variable) is no URL that begins with http:// or https:// and has no user in it")
        }
        guard url.scheme == "https" || url.isLoopback || Self.hosts.contains(url.host) else {
            throw .credentials(
                """
                container: \(variable) names \(url.host) by http, which would show its token to the network: only this \
                machine, \(Self.hosts.joined(separator: ", ")) are asked so; write https://
                """)
        }
        token =
            if let file = environment[set: Self.tokenFileVariable] {
                .file(file)
            } else {
                environment[set: Self.tokenVariable].map { .text($0) }
            }
    }

    private static let hosts = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"]
}
