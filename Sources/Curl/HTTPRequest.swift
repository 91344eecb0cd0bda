/// What is asked of a server. Exactly these headers are sent, besides Content-Length and, where it isn't given, Host.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
    }

    package let method: Method
    package let url: HTTPURL
    package let headers: [HTTPHeader]
    /// Not sent with GET.
    package let body: [UInt8]
    /// For this request in place of the engine's.
    package let totalTimeout: Duration?
    /// Told once how a 200's body begins while the rest of it is on its way, and how long it will be, if that is known.
    /// Only of bodies of `beginning` bytes and more. Called on the engine's thread, which it must not hold up.
    package let onBeginning: BeginningObserver?

    /// Whether it is sent by the caller's tries alone, so that the caller knows of each: else one that ends without an answer on a
    /// connection that had served before is sent again at once.
    package let isSentOnce: Bool

    /// Whether no proxy may stand in between, whatever the environment says: what is asked is this machine's own.
    package let isDirect: Bool

    package typealias BeginningObserver = @Sendable (_ bytes: Span<UInt8>, _ length: Int?) -> Void
    package static let beginning = 4096

    package init(
        _ method: Method, _ url: HTTPURL, headers: [HTTPHeader] = [], body: [UInt8] = [], totalTimeout: Duration? = nil,
        isSentOnce: Bool = false, isDirect: Bool = false, onBeginning: BeginningObserver? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.totalTimeout = totalTimeout
        self.isSentOnce = isSentOnce
        self.isDirect = isDirect
        self.onBeginning = onBeginning
    }
}
