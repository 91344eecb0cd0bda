internal import CCurl
internal import Glibc

/// What must happen once in a process before libcurl is used.
enum CurlLibrary {
    /// Why libcurl can't be used; `nil` if it can.
    ///
    /// SIGPIPE is ignored from here on, process-wide: with CURLOPT_NOSIGNAL libcurl leaves it to us (libcurl, threads),
    /// and a peer that closes early would end the process.
    static let failure: String? = {
        signal(SIGPIPE, SIG_IGN)
        let code = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        return code == CURLE_OK ? nil : unsafe String(cString: curl_easy_strerror(code))
    }()
}
