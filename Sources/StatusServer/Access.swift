/// Who may ask what: by the token, where there is one, and on loopback by the name that the server was called by.
package struct Access: Sendable {
    private let address: HTTPAddress
    private let token: [UInt8]?

    /// - Parameter token: what every request but `/livez` has to show.
    package init(_ address: HTTPAddress, token: String?) {
        self.address = address
        self.token = token.map { Array($0.utf8) }
    }

    /// Why this request is refused, if it is.
    ///
    /// - Parameters:
    ///   - host: its Host header.
    ///   - authorization: its Authorization header.
    package func refusal(path: String, host: String?, authorization: String?) -> RequestRefusal? {
        // A page of elsewhere can have its own name lead here (DNS rebinding), and the browser then lets it read the answers;
        // that name is in the header. Who comes from afar has to show a token instead, which no such page knows.
        if address.isLoopback, !isOurs(host) {
            return RequestRefusal(
                403,
                "the Host header names no address of this machine: ask for http://localhost, http://127.0.0.1 or "
                    + "http://[::1]")
        }
        // Whoever restarts what does not live has no secrets, and learns none.
        guard let token, path != Route.livez.path else { return nil }
        guard let shown = authorization, let space = shown.firstIndex(of: " "),
            shown[..<space].lowercased() == "bearer"
        else {
            return RequestRefusal(
                401, "this needs the header 'Authorization: Bearer TOKEN', with the token of --http-token-file")
        }
        guard Self.isEqual(Array(shown[space...].drop { $0 == " " }.utf8), token) else {
            return RequestRefusal(401, "that is not the token of --http-token-file")
        }
        return nil
    }

    /// Whether whoever asks has shown what all of them have to, where they do.
    package func isShown(_ authorization: String?) -> Bool {
        token == nil || refusal(path: "", host: nil, authorization: authorization) == nil
    }

    /// With whatever port: that of a tunnel's other end is any.
    private func isOurs(_ host: String?) -> Bool {
        guard let host else { return false }
        // What has no port has to be looked at as if it had one.
        guard let named = HTTPAddress(host) ?? HTTPAddress("\(host):80") else { return false }
        return ["localhost", "127.0.0.1", "::1", address.host.lowercased()].contains(named.host.lowercased())
    }

    /// Takes as long wherever the first difference is.
    static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        var difference = a.count ^ b.count
        for index in b.indices { difference |= Int((index < a.count ? a[index] : 0) ^ b[index]) }
        return difference == 0
    }
}
