internal import CLibPQ
internal import Glibc

/// Where a server is and how to reach it: what `postgres://…` says, the environment (PGHOST, PGPASSWORD, ~/.pgpass …) for what it
/// leaves out, and settings of ours for what neither says.
package struct ConnectionSettings: Sendable {
    private let options: [String: String]
    /// What libpq knows of each option that the URL leaves out.
    private let defaults: [String: String]

    /// - Throws: what libpq says of a URL that can't be. Its words may hold a part of it, so they are not repeated.
    package init(url: String) throws(PostgresError) {
        options = try Self.parsed(url)
        defaults = Self.known()
    }

    package var host: String { self["host"] ?? self["hostaddr"] ?? "" }
    package var port: String { self["port"] ?? "5432" }
    package var user: String { self["user"] ?? "" }
    package var database: String { self["dbname"] ?? user }

    private subscript(option: String) -> String? { options[option] ?? defaults[option] }

    /// Whether packets leave this machine.
    package var isLocal: Bool {
        host.split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
            $0.isEmpty || $0.hasPrefix("/") || $0 == "localhost" || $0.hasPrefix("127.") || $0 == "::1"
        }
    }

    /// What libpq is told. Over the network the server must show a certificate of its name, unless the URL or the environment says otherwise.
    package var parameters: [(name: String, value: String)] {
        var all = options
        func suggest(_ name: String, _ value: String) {
            if all[name] == nil, defaults[name] == nil { all[name] = value }
        }
        suggest("connect_timeout", "10")
        suggest("keepalives_idle", "30")
        suggest("tcp_user_timeout", "30000")
        all["client_encoding"] = "UTF8"
        if all["application_name"] == nil { all["application_name"] = "shake" }
        if !isLocal, options["sslmode"] == nil, !Self.isSet("PGSSLMODE") {
            all["sslmode"] = "verify-full"
            // Up to version 15, libpq looks for authorities in the home folder only.
            if options["sslrootcert"] == nil, !Self.isSet("PGSSLROOTCERT") { all["sslrootcert"] = Self.authorities }
        }
        return all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static let authorities = "/etc/ssl/certs/ca-certificates.crt"

    private static func isSet(_ variable: String) -> Bool { unsafe getenv(variable) != nil }

    private static func parsed(_ url: String) throws(PostgresError) -> [String: String] {
        var problem: UnsafeMutablePointer<CChar>?
        guard let first = unsafe PQconninfoParse(url, &problem) else {
            unsafe PQfreemem(problem)
            throw PostgresError(
                sqlState: nil, message: "the URL can't be read: write postgres://USER@HOST:PORT/DATABASE",
                isConnectionLost: false)
        }
        defer { unsafe PQconninfoFree(first) }
        return unsafe values(first)
    }

    private static func known() -> [String: String] {
        guard let first = unsafe PQconndefaults() else { return [:] }
        defer { unsafe PQconninfoFree(first) }
        return unsafe values(first)
    }

    private static func values(_ first: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
        var values: [String: String] = [:]
        var option = unsafe first
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                values[unsafe String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        return values
    }
}
