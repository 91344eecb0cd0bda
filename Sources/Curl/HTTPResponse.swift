/// What a server answered, whatever its status.
package struct HTTPResponse: Sendable {
    package let status: Int
    package let headers: [HTTPHeader]
    /// As it came over the wire. Its capacity exceeds its count by `HTTPEngine.spareBytes` at least.
    package let body: [UInt8]

    package init(status: Int, headers: [HTTPHeader], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
