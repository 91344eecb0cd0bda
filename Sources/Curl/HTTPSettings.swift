/// Bounds of what the engine does.
package struct HTTPSettings: Sendable {
    /// Resolving, connecting and the TLS handshake together.
    package var connectTimeout: Duration = .seconds(5)
    /// From start to end of a request, with waiting for the server.
    package var totalTimeout: Duration = .seconds(60)
    /// A transfer that moves nothing for this long has failed; libcurl counts whole seconds.
    package var stallTimeout: Duration = .seconds(20)
    /// Larger bodies fail. A page of 1 MB grows in JSON, by its base64 and escapes.
    package var maximumBodyBytes = 256 << 20
    /// Transfers at one time, which is also the number of connections, for each has one. More wait their turn.
    package var maximumTransfers = 64
    /// A file of certificates to trust in place of the system's.
    package var certificates: String?
    package var userAgent = "shake"

    package init() {}
}
