internal import CCurl

/// An http or https URL, taken apart by the library that will connect to it.
package struct HTTPURL: Hashable, Sendable, CustomStringConvertible {
    /// With scheme and host in lower case, and a path.
    package let text: String
    /// `http` or `https`.
    package let scheme: String
    /// A name or an address; an IPv6 address in brackets.
    package let host: String
    /// `nil` where it is the scheme's own.
    package let port: Int?
    /// `/` at least.
    package let path: String
    /// Without the question mark.
    package let query: String?

    /// - Throws: `.invalidRequest` for what is no URL, for another scheme, and for one that holds a user or a password.
    package init(_ text: String) throws(CurlError) {
        guard let url = unsafe curl_url() else { throw .unable(reason: "out of memory") }
        defer { unsafe curl_url_cleanup(url) }
        let code = unsafe curl_url_set(url, CURLUPART_URL, text, 0)
        guard code == CURLUE_OK else {
            let why =
                code == CURLUE_BAD_SCHEME || code == CURLUE_UNSUPPORTED_SCHEME
                ? "it must begin with http:// or https://"
                : unsafe String(cString: curl_url_strerror(code)).lowercased()
            throw .invalidRequest(reason: "\(Self.quoted(text)) is no URL: \(why)")
        }
        func part(_ part: CURLUPart, _ flags: UInt32 = 0) -> String? {
            var value: UnsafeMutablePointer<CChar>?
            guard unsafe curl_url_get(url, part, &value, flags) == CURLUE_OK, let value = unsafe value else {
                return nil
            }
            defer { unsafe curl_free(value) }
            return unsafe String(cString: value)
        }
        guard let scheme = part(CURLUPART_SCHEME), scheme == "http" || scheme == "https" else {
            throw .invalidRequest(reason: "\(Self.quoted(text)) must begin with http:// or https://")
        }
        guard let host = part(CURLUPART_HOST)?.lowercased(), !host.isEmpty else {
            throw .invalidRequest(reason: "\(Self.quoted(text)) has no host")
        }
        guard part(CURLUPART_USER) == nil, part(CURLUPART_PASSWORD) == nil else {
            throw .invalidRequest(reason: "a URL for \(host) holds a user or password: leave them out of it")
        }
        guard part(CURLUPART_FRAGMENT) == nil else {
            throw .invalidRequest(reason: "\(Self.quoted(text)) has a fragment (#…)")
        }
        self.scheme = scheme
        self.host = host
        port = part(CURLUPART_PORT, UInt32(CURLU_NO_DEFAULT_PORT)).flatMap { Int($0) }
        path = part(CURLUPART_PATH) ?? "/"
        query = part(CURLUPART_QUERY)
        self.text = "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")\(path)\(query.map { "?\($0)" } ?? "")"
    }

    /// Whether a text that was to be a URL may be repeated in an error: one with an @, in whatever spelling, may hold a password.
    package static func mayBeRepeated(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "."),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: " "),
                UInt8(ascii: "#"):
                true
            default: false
            }
        }
    }

    private static func quoted(_ text: String) -> String { mayBeRepeated(text) ? "\"\(text)\"" : "the given text" }

    /// As the Host header says it, and a signature must: the port only where it isn't the scheme's own.
    package var authority: String { host + (port.map { ":\($0)" } ?? "") }

    package var description: String { text }

    /// Whether the host can only be this machine.
    package var isLoopback: Bool {
        host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]" || host.isIPv4(beginningWith: "127.")
    }

    /// Whether it serves a machine's or a container's own credentials, and so must never be asked through a proxy.
    package var isMetadata: Bool {
        host.isIPv4(beginningWith: "169.254.") || host == "[fd00:ec2::254]" || host == "[fd00:ec2::23]"
    }
}

extension String {
    /// Without what stands between a scheme and the last @ behind it, as in a proxy's URL that libcurl repeats.
    var withoutUser: String {
        let bytes = Array(utf8)
        guard let at = bytes.lastIndex(of: UInt8(ascii: "@")) else { return self }
        let scheme = bytes[..<at].firstRange(of: Array("://".utf8)).map { bytes[..<$0.upperBound] } ?? []
        return String(decoding: scheme + Array("…".utf8) + bytes[at...], as: UTF8.self)
    }

    fileprivate func isIPv4(beginningWith prefix: String) -> Bool {
        hasPrefix(prefix)
            && utf8.allSatisfy { $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
