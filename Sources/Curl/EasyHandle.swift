internal import CCurl

/// A libcurl easy handle: what one transfer at a time is done with, used again for the next.
///
/// Owned by the engine's thread, and by nobody else.
@safe struct EasyHandle {
    /// Also what the multi handle names it by.
    let pointer: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var headers: UnsafeMutablePointer<curl_slist>?

    /// With all that is the same for every request.
    init(_ settings: HTTPSettings) throws(CurlError) {
        guard let pointer = unsafe curl_easy_init() else { throw .unable(reason: "out of memory") }
        unsafe self.pointer = pointer
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        do throws(CurlError) {
            try configure(settings)
        } catch {
            free()
            throw error
        }
    }

    mutating func free() {
        unsafe curl_easy_cleanup(pointer)
        unsafe curl_slist_free_all(headers)
        unsafe errorText.deallocate()
        unsafe headers = nil
    }

    private func configure(_ settings: HTTPSettings) throws(CurlError) {
        try set(CURLOPT_NOSIGNAL, 1)
        // Else a cancelled transfer waits, and the whole loop with it, until the resolver's thread is done.
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let certificates = settings.certificates { try set(CURLOPT_CAINFO, certificates) }
        try set(CURLOPT_USERAGENT, settings.userAgent)
        try set(CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.milliseconds)
        try set(CURLOPT_LOW_SPEED_LIMIT, 1)
        try set(CURLOPT_LOW_SPEED_TIME, max(1, Int(settings.stallTimeout.components.seconds)))
        try set(CURLOPT_BUFFERSIZE, 128 << 10)
        try check(unsafe shake_easy_setopt_pointer(pointer, CURLOPT_ERRORBUFFER, errorText))
    }

    /// Everything in which requests differ is set each time, so nothing is left of the one before.
    ///
    /// - Parameter transfer: must outlive its time in the multi handle.
    mutating func prepare(_ transfer: Transfer, _ settings: HTTPSettings) throws(CurlError) {
        let request = transfer.request
        unsafe errorText.pointee = 0
        try set(CURLOPT_URL, request.url.text)
        try set(CURLOPT_TIMEOUT_MS, (request.totalTimeout ?? settings.totalTimeout).milliseconds)
        // The environment's proxies are for services; an emulator or this machine's own credentials need none.
        let isDirect = request.isDirect || request.url.isLoopback || request.url.isMetadata
        try set(CURLOPT_PROXY, isDirect ? "" : nil)
        try set(CURLOPT_HTTPGET, 1)
        if request.method != .get {
            try set(CURLOPT_POST, 1)
            // The size first: libcurl copies that much.
            try check(unsafe shake_easy_setopt_offset(pointer, CURLOPT_POSTFIELDSIZE_LARGE, request.body.count))
            try check(
                unsafe request.body.withUnsafeBytes {
                    unsafe shake_easy_setopt_pointer(pointer, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)
                })
        }
        try set(CURLOPT_CUSTOMREQUEST, request.method == .put ? "PUT" : nil)
        try setHeaders(request.headers)
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        try check(unsafe shake_easy_setopt_write(pointer, Self.receive, context))
        try check(
            unsafe shake_easy_setopt_prerequest(pointer, request.isSentOnce ? Self.mayBeSent : nil, context))
    }

    private mutating func setHeaders(_ given: [HTTPHeader]) throws(CurlError) {
        unsafe curl_slist_free_all(headers)
        unsafe headers = nil
        // A header without a value takes out the one that libcurl would send of itself.
        for line in given.map({ "\($0.name): \($0.value)" }) + ["Expect:", "Accept:"] {
            // It could smuggle in a header, or a request, of whoever wrote the value.
            guard line.utf8.allSatisfy({ $0 != 13 && $0 != 10 && $0 != 0 }) else {
                throw .invalidRequest(reason: "a header's value holds a line break or NUL")
            }
            guard let longer = unsafe curl_slist_append(headers, line) else { throw .unable(reason: "out of memory") }
            unsafe headers = longer
        }
        try check(unsafe shake_easy_setopt_list(pointer, CURLOPT_HTTPHEADER, headers))
    }

    // MARK: After the transfer

    var status: Int {
        var status = 0
        unsafe shake_easy_getinfo_long(pointer, CURLINFO_RESPONSE_CODE, &status)
        return status
    }

    /// Of the last response; an interim one (100) and a proxy's don't count.
    var responseHeaders: [HTTPHeader] {
        var headers: [HTTPHeader] = []
        var previous: UnsafeMutablePointer<curl_header>?
        while let header = unsafe curl_easy_nextheader(pointer, UInt32(CURLH_HEADER), -1, previous) {
            unsafe headers.append(
                HTTPHeader(String(cString: header.pointee.name), String(cString: header.pointee.value)))
            unsafe previous = header
        }
        return headers
    }

    func error(_ code: CURLcode) -> CurlError {
        let text = unsafe String(cString: errorText)
        let reason = unsafe text.isEmpty ? String(cString: curl_easy_strerror(code)) : text.withoutUser
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_PROXY:
            return .unreachable(reason: reason)
        case CURLE_OPERATION_TIMEDOUT: return .timedOut(reason: reason)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_INVALIDCERTSTATUS:
            return .untrusted(reason: reason)
        case CURLE_URL_MALFORMAT: return .invalidRequest(reason: reason)
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT: return .unable(reason: reason)
        default: return .broken(reason: reason)
        }
    }

    // MARK: Setting options

    private func set(_ option: CURLoption, _ value: Int) throws(CurlError) {
        try check(unsafe shake_easy_setopt_long(pointer, option, value))
    }

    /// libcurl copies the string.
    private func set(_ option: CURLoption, _ value: String?) throws(CurlError) {
        try check(unsafe shake_easy_setopt_string(pointer, option, value))
    }

    private func check(_ code: CURLcode) throws(CurlError) {
        guard code == CURLE_OK else { throw error(code) }
    }

    /// Called before a request is sent over a connection, and again before libcurl sends it over another one.
    private static let mayBeSent: shake_prerequest_function = { context, _, _, _, _ in
        guard let context = unsafe context else { return CURL_PREREQFUNC_ABORT }
        let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        return transfer.mayBeSent() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }

    /// The write callback. `context` is the transfer, which the engine holds as long as its handle is in use.
    private static let receive: shake_write_function = { bytes, size, count, context in
        guard let context = unsafe context else { return 0 }
        let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        return unsafe transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
    }
}

extension Duration {
    /// Rounded up, since libcurl takes 0 for "no limit".
    fileprivate var milliseconds: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}
