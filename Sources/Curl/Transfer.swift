internal import CCurl

/// One request on its way, and what has come back so far.
///
/// `@unchecked Sendable`: made by the caller and named by it (to cancel), but read and written on the engine's thread
/// only.
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
    private var bodies: BodyPool?
    /// As the server announced it.
    private var length: Int?
    private var hasToldBeginning = false
    private var wasSent = false

    init(_ request: HTTPRequest) { self.request = request }

    func expectAnswer(to continuation: Continuation, bodyLimit: Int, bodies: BodyPool) {
        self.continuation = continuation
        limit = bodyLimit
        self.bodies = bodies
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
    ///
    /// - Returns: `false` where more is announced than is allowed.
    private func reserve() -> Bool {
        var length: curl_off_t = -1
        unsafe shake_easy_getinfo_offset(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length)
        guard length <= limit else { return false }
        self.length = length < 0 ? nil : Int(length)
        body = bodies?.take(max(Int(length), 0) + HTTPEngine.spareBytes) ?? []
        return true
    }

    private func tellBeginning() {
        hasToldBeginning = true
        guard let tell = request.onBeginning else { return }
        var status = 0
        unsafe shake_easy_getinfo_long(handle, CURLINFO_RESPONSE_CODE, &status)
        guard status == 200 else { return }
        let body = body
        tell(body.span, length)
    }

    /// libcurl sends a request again, unasked, where a connection that had served before ends without an answer.
    ///
    /// - Returns: `false` to end the transfer instead.
    func mayBeSent() -> Bool {
        if wasSent { fault = .broken(reason: "the connection ended before an answer came") }
        wasSent = true
        return fault == nil
    }

    /// - Returns: `false` to end the transfer.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard body.count + bytes.count <= limit, !body.isEmpty || reserve() else {
            fault = .tooLarge(limit: limit)
            return false
        }
        unsafe body.append(contentsOf: bytes)
        if !hasToldBeginning, body.count >= HTTPRequest.beginning { tellBeginning() }
        return true
    }
}
