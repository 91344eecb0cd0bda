internal import StatusServer

/// Where and to whom a daemon answers over HTTP.
struct HTTPSettings: Hashable, Sendable {
    let address: HTTPAddress
    /// What a client has to show.
    let token: String?
}

extension Configuration {
    /// What a token has at least: 16 letters that a machine has drawn can't be guessed.
    private static let shortestToken = 16

    /// `nil`: nobody is answered.
    ///
    /// - Parameter read: gives a file's text, or `nil` where there is no such file.
    /// - Throws: `.configuration` for an address that others reach and no token, or a file that holds none.
    func http(read: (String) throws(ShakectlError) -> String? = TextFile.read) throws(ShakectlError) -> HTTPSettings? {
        guard let address = settings.http else {
            guard settings.httpTokenFile == nil else {
                throw .configuration(
                    "--http-token-file is for --http, which is not said: say --http 127.0.0.1:9464, or leave it out")
            }
            return nil
        }
        guard let path = settings.httpTokenFile else {
            guard address.isLoopback else {
                throw .configuration(
                    """
                    --http \(address): others than this machine reach that address, so it needs a token: make one with \
                    'openssl rand -hex 32 > FILE' and say --http-token-file FILE; or listen at 127.0.0.1:\(address.port)
                    """)
            }
            return HTTPSettings(address: address, token: nil)
        }
        guard let text = try read(path) else {
            throw .configuration(
                "--http-token-file \(path): there is no such file; make one with 'openssl rand -hex 32'")
        }
        let token = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        guard token.utf8.count >= Self.shortestToken, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            // Not what it holds: it may be a secret all the same.
            throw .configuration(
                """
                --http-token-file \(path): its first line must be a token of \(Self.shortestToken) or more letters, digits and \
                signs without a space; make one with 'openssl rand -hex 32'
                """)
        }
        return HTTPSettings(address: address, token: token)
    }
}
