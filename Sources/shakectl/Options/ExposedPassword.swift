/// A password in a command line, which everybody on the machine can read while the process runs.
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
}
