/// What carries requests: libcurl, or whatever stands in its place where there is no network.
package protocol HTTPTransport: Sendable {
    /// Sends `request` and returns the response, whatever its status.
    ///
    /// Cancelling the task ends the transfer at once, with `.cancelled`; the server may have done what was asked.
    func perform(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse

    /// Offers the memory of a response's body, which its caller has done with, to the next one.
    func giveBack(_ body: [UInt8])

    /// Ends what is under way, with `.closed`. May be called again.
    func shutdown() async
}

extension HTTPEngine: HTTPTransport {}
