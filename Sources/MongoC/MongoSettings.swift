internal import CMongoC

/// Where a deployment is and how to reach it: what `mongodb://…` says, and settings of ours for what it leaves out.
@safe package final class MongoSettings: Sendable {
    /// Only read once it is made, and copied by libmongoc into each pool: so threads may share it.
    nonisolated(unsafe) private let pointer: OpaquePointer
    /// In the path of the URL; `nil` where there is none.
    package let database: String?
    /// `HOST:PORT` one after the other, or the one name that they are looked up under.
    package let hosts: [String]
    /// Whether the hosts are looked up (`mongodb+srv`).
    package let isLookedUp: Bool
    /// Whether it asks for TLS by itself, because hosts are elsewhere and the URL says nothing of it.
    package let isEncryptedByDefault: Bool

    /// - Parameter password: instead of one in the URL.
    /// - Throws: what is wrong with the URL, without any of its secrets.
    package init(url: String, password: String? = nil) throws(MongoError) {
        precondition(MongoLibrary.isReady)
        if let unknown = Self.unknownOption(in: url) {
            throw MongoError(code: nil, message: "the URL has an option '\(unknown)', which libmongoc doesn't know")
        }
        var error = bson_error_t()
        guard let pointer = unsafe mongoc_uri_new_with_error(url, &error) else {
            throw MongoError(
                code: nil,
                message:
                    "the URL can't be read: \(MongoError(error).message). Write mongodb://USER:PASSWORD@HOST:PORT/DATABASE, "
                    + "with each of : / ? # [ ] @ % in the password as its percent code")
        }
        unsafe self.pointer = pointer
        database = unsafe mongoc_uri_get_database(pointer).map { unsafe String(cString: $0) }
        let lookedUp = unsafe mongoc_uri_get_srv_hostname(pointer).map { unsafe String(cString: $0) }
        isLookedUp = lookedUp != nil
        let hosts = unsafe lookedUp.map { [$0] } ?? Self.hosts(mongoc_uri_get_hosts(pointer))
        self.hosts = hosts
        let isSaid = unsafe mongoc_uri_has_option(pointer, "tls") || mongoc_uri_has_option(pointer, "ssl")
        isEncryptedByDefault = !isLookedUp && !isSaid && !hosts.allSatisfy(Self.isLocal)
        if isEncryptedByDefault { _ = unsafe mongoc_uri_set_option_as_bool(pointer, "tls", true) }
        if let password { _ = unsafe mongoc_uri_set_password(pointer, password) }
        suggest("connecttimeoutms", 10_000)
        suggest("serverselectiontimeoutms", 10_000)
        // Without one, a server that says nothing more holds a write for ever.
        suggest("sockettimeoutms", 60_000)
        suggest("heartbeatfrequencyms", 10_000)
        if !isSet("serverselectiontryonce") {
            _ = unsafe mongoc_uri_set_option_as_bool(pointer, "serverselectiontryonce", false)
        }
        if !isSet("appname") { _ = unsafe mongoc_uri_set_appname(pointer, "shake") }
    }

    deinit { unsafe mongoc_uri_destroy(pointer) }

    /// An option as it is set; for tests.
    package func milliseconds(_ option: String) -> Int {
        unsafe Int(mongoc_uri_get_option_as_int32(pointer, option, -1))
    }
    package func isOn(_ option: String) -> Bool { unsafe mongoc_uri_get_option_as_bool(pointer, option, false) }

    func withPointer<R, E: Error>(_ body: (OpaquePointer) throws(E) -> R) throws(E) -> R { unsafe try body(pointer) }

    private func isSet(_ option: String) -> Bool { unsafe mongoc_uri_has_option(pointer, option) }

    private func suggest(_ option: String, _ value: Int32) {
        if !isSet(option) { _ = unsafe mongoc_uri_set_option_as_int32(pointer, option, value) }
    }

    private static func hosts(_ first: UnsafePointer<mongoc_host_list_t>?) -> [String] {
        var hosts: [String] = []
        var next = unsafe first
        while let host = unsafe next {
            hosts.append(
                unsafe withUnsafeBytes(of: host.pointee.host_and_port) {
                    unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                })
            unsafe next = unsafe UnsafePointer(host.pointee.next)
        }
        return hosts
    }

    /// Whether packets to it stay on this machine.
    private static func isLocal(_ host: String) -> Bool {
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        return host.hasPrefix("/") || name == "localhost" || name.hasPrefix("127.") || name == "[::1]"
    }

    /// libmongoc drops an option that it doesn't know, and logs that: so a misspelt `tls` would be none.
    private static func unknownOption(in url: String) -> String? {
        // Not before the last @: a password may hold what it should not.
        let rest = url[(url.lastIndex(of: "@") ?? url.startIndex)...]
        guard let question = rest.firstIndex(of: "?") else { return nil }
        let names = rest[question...].dropFirst().split { $0 == "&" || $0 == ";" }.map { $0.prefix { $0 != "=" } }
        return names.map(String.init).first { !options.contains($0.lowercased()) }
    }

    /// Source: mongoc-uri.h, 1.23.1.
    private static let options: Set<String> = [
        "appname", "authmechanism", "authmechanismproperties", "authsource", "canonicalizehostname", "compressors",
        "connecttimeoutms", "directconnection", "gssapiservicename", "heartbeatfrequencyms", "journal", "loadbalanced",
        "localthresholdms", "maxidletimems", "maxpoolsize", "maxstalenessseconds", "minpoolsize", "readconcernlevel",
        "readpreference", "readpreferencetags", "replicaset", "retryreads", "retrywrites", "safe",
        "serverselectiontimeoutms", "serverselectiontryonce", "slaveok", "socketcheckintervalms", "sockettimeoutms",
        "srvmaxhosts", "srvservicename", "ssl", "sslallowinvalidcertificates", "sslallowinvalidhostnames",
        "sslcertificateauthorityfile", "sslclientcertificatekeyfile", "sslclientcertificatekeypassword", "tls",
        "tlsallowinvalidcertificates", "tlsallowinvalidhostnames", "tlscafile", "tlscertificatekeyfile",
        "tlscertificatekeyfilepassword", "tlsdisablecertificaterevocationcheck", "tlsdisableocspendpointcheck",
        "tlsinsecure", "w", "waitqueuemultiple", "waitqueuetimeoutms", "wtimeoutms", "zlibcompressionlevel",
    ]
}
