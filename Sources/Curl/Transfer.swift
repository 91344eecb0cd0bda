internal import CCurl

/// One request on its way, and what has come back so far.
///
/// `@unchecked Sendable`: made by the caller and named by it (to cancel), but read and written on the engine's thread only.
@safe final class Transfer: @unchecked Sendable {
    typealias Continuation = CheckedContinuation<Result<HTTPResponse, CurlError>, Never>

    let request: HTTPRequest
    /// Who waits. `nil` before the start and once answered.
    private var continuation: Continuation?
    /// Cancelled before it was started, or answered.
    private(set) var isOver = false
    /// What the write callback found wrong, and libcurl reports as a write error.
    private(set) var fault: CurlError?
    /// The easy handle that does it, while one does.
    var handle: UnsafeMutableRawPointer?
    private var body: [UInt8] = []
    private var limit = 0

    init(_ request: HTTPRequest) { self.request = request }

    func expectAnswer(to continuation: Continuation, bodyLimit: Int) {
        self.continuation = continuation
        limit = bodyLimit
    }

    func answer(_ result: Result<HTTPResponse, CurlError>) {
        isOver = true
        continuation.take()?.resume(returning: result)
    }

    func answer(status: Int, headers: [HTTPHeader]) {
        body.reserveCapacity(body.count + HTTPEngine.spareBytes)
        answer(.success(HTTPResponse(status: status, headers: headers, body: body)))
        body = []
    }

    /// Makes room for a whole body at once, so that it is moved only once: from libcurl's buffer to where it stays.
    /// The length is the server's word, so it counts only up to the limit.
    private func reserve() {
        var length: curl_off_t = -1
        unsafe shake_easy_getinfo_offset(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length)
        body.reserveCapacity(Int(min(max(length, 0), curl_off_t(limit))) + HTTPEngine.spareBytes)
    }

    /// - Returns: `false` to end the transfer.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard body.count + bytes.count <= limit else {
            fault = .tooLarge(limit: limit)
            return false
        }
        if body.isEmpty { reserve() }
        unsafe body.append(contentsOf: bytes)
        return true
    }
}
