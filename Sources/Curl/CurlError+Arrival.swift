extension CurlError {
    /// Whether the peer may have got the request, and so may have done what was asked, or may do it yet.
    package var mayHaveArrived: Bool {
        switch self {
        case .unreachable, .untrusted, .invalidRequest: false
        case .cancelled, .closed, .timedOut, .broken, .tooLarge, .unable: true
        }
    }
}
