/// A MongoDB as NimoShake names it: `mongodb://user:password@host:port,host:port/database?options`, or without the scheme.
struct MongoDBAddress: Hashable {
    private let scheme: String
    private let user: String?
    private let password: String?
    private let hosts: String
    private let database: String
    private let options: String

    struct URL: Hashable {
        let text: String
        /// Whether a password was left out.
        let hadPassword: Bool
    }

    /// `nil` where it names no host.
    init?(_ text: String) {
        var rest = text[...]
        if let end = rest.firstRange(of: "://") {
            scheme = String(rest[..<end.lowerBound])
            rest = rest[end.upperBound...]
        } else {
            scheme = "mongodb"
        }
        guard ["mongodb", "mongodb+srv"].contains(scheme) else { return nil }
        // A password may hold a slash, though it should not.
        let authority: Substring
        if let at = rest.lastIndex(of: "@") {
            let credentials = rest[..<at]
            let colon = credentials.firstIndex(of: ":")
            user = String(credentials[..<(colon ?? credentials.endIndex)])
            password = colon.map { String(credentials[credentials.index(after: $0)...]) }
            authority = rest[rest.index(after: at)...]
        } else {
            (user, password) = (nil, nil)
            authority = rest
        }
        let question = authority.firstIndex(of: "?") ?? authority.endIndex
        let path = authority[..<question]
        let slash = path.firstIndex(of: "/") ?? path.endIndex
        hosts = String(path[..<slash])
        database = String(path[slash...].dropFirst())
        options = String(authority[question...].dropFirst())
        guard !hosts.isEmpty, !hosts.contains(" ") else { return nil }
    }

    /// - Parameter database: instead of the one that stands there, in which a user would else be looked for.
    func url(database name: String?) -> URL {
        let isAsked = options.lowercased().hasPrefix("authsource=") || options.lowercased().contains("&authsource=")
        let source = user != nil && !isAsked && name != nil ? "authSource=\(database.isEmpty ? "admin" : database)" : ""
        let query = [options, source].filter { !$0.isEmpty }.joined(separator: "&")
        let place = name ?? database
        let path = place.isEmpty && query.isEmpty ? "" : "/\(place)"
        return URL(
            text: "\(scheme)://\(user.map { "\($0)@" } ?? "")\(hosts)\(path)\(query.isEmpty ? "" : "?\(query)")",
            hadPassword: !(password ?? "").isEmpty)
    }
}
