/// Why a request has no response. Each `reason` is libcurl's own text, which names host and port.
package enum CurlError: Error, Equatable, CustomStringConvertible {
    /// The task was cancelled, so the transfer was dropped.
    case cancelled
    /// The engine was shut down.
    case closed
    /// No connection: the name doesn't resolve, nobody listens, or the proxy refuses.
    case unreachable(reason: String)
    /// The peer took longer than the settings allow. It may have done what was asked all the same.
    case timedOut(reason: String)
    /// The connection broke before the response was whole. The peer may have done what was asked all the same.
    case broken(reason: String)
    /// The peer's certificate isn't trusted, or the certificates to trust can't be read.
    case untrusted(reason: String)
    /// The response's body is larger than the settings allow.
    case tooLarge(limit: Int)
    /// The request can't be sent as it is: its URL or a header is wrong.
    case invalidRequest(reason: String)
    /// libcurl itself can't do it (out of memory, out of threads).
    case unable(reason: String)

    /// Whether the same request may go through in a while.
    package var isTransient: Bool {
        switch self {
        case .unreachable, .timedOut, .broken, .unable: true
        case .cancelled, .closed, .untrusted, .tooLarge, .invalidRequest: false
        }
    }

    package var description: String {
        switch self {
        case .cancelled: "cancelled"
        case .closed: "the HTTP client is shut down"
        case .unreachable(let reason): "can't connect: \(reason)"
        case .timedOut(let reason): "timed out: \(reason)"
        case .broken(let reason): "connection broke: \(reason)"
        case .untrusted(let reason): "TLS: \(reason)"
        case .tooLarge(let limit): "a response of more than \(limit) bytes"
        case .invalidRequest(let reason): "bad request: \(reason)"
        case .unable(let reason): "libcurl: \(reason)"
        }
    }
}
