internal import CCurl

/// Which libcurl this process runs with; it may be another one than it was built with.
package enum CurlVersion {
    /// As `curl --version` begins: `libcurl/8.5.0 OpenSSL/3.0.13 zlib/1.3 …`.
    package static var text: String { unsafe String(cString: curl_version()) }

    /// The TLS library; `nil` where it was made without one.
    package static var tls: String? {
        // The struct is libcurl's own and lives as long as the process.
        guard let facts = unsafe curl_version_info(CURLVERSION_FIRST), let name = unsafe facts.pointee.ssl_version
        else { return nil }
        return unsafe String(cString: name)
    }
}
