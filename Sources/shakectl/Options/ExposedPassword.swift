/// A password in a URL: in a command line everybody on the machine can read it while the process runs, and an error that repeats
/// the URL would keep it in a log.
enum ExposedPassword {
    static let warning = """
        the password in --target can be read by everybody on this machine, in the list of processes: leave it out of the URL and \
        give it by PGPASSWORD or ~/.pgpass (PostgreSQL) or SHAKE_MONGODB_PASSWORD (MongoDB), or name the target in a \
        configuration file that only this user can read
        """

    /// Whether a target's URL holds one.
    static func isIn(_ url: String) -> Bool {
        guard let start = url.firstRange(of: "://")?.upperBound else { return false }
        let rest = url[start...]
        if rest.lowercased().contains("password=") { return true }
        // A password may hold a slash or an @, though it should not.
        return rest.lastIndex(of: "@").map { rest[..<$0].contains(":") } ?? false
    }

    /// A value that was not expected where it stands.
    static func quoted(_ text: String) -> String { isIn(text) ? "a URL with a password in it" : "'\(text)'" }

    /// A message about `arguments`, without those that hold one.
    static func hidden(_ arguments: [String], in message: String) -> String {
        // `--flag=value` is repeated as a whole or as its value.
        let values = arguments.map { $0.hasPrefix("--") ? $0.drop { $0 != "=" }.dropFirst() : $0[...] }
        return values.filter { isIn(String($0)) }.reduce(message) { $0.replacing($1, with: "…") }
    }
}
