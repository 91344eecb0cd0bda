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

    package init(
        _ method: Method, _ url: HTTPURL, headers: [HTTPHeader] = [], body: [UInt8] = [], totalTimeout: Duration? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.totalTimeout = totalTimeout
    }
}
