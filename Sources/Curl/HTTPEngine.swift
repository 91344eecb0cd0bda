internal import CCurl
internal import Glibc

/// An HTTP/1.1 client: libcurl's multi interface, driven by one thread of its own.
///
/// Connections are kept and used again. Redirects aren't followed, nothing is decoded, `.netrc` isn't read; the
/// environment's proxies are obeyed as curl does, but never for this machine or its metadata service.
package final class HTTPEngine: Sendable {
    /// What a body's capacity exceeds its count by, so that simdjson can read it in place.
    package static let spareBytes = 64

    private let mailbox: Mailbox
    private let bodies = BodyPool()

    /// - Throws: `.unable` where libcurl or a thread can't be had.
    package init(_ settings: HTTPSettings = HTTPSettings()) throws(CurlError) {
        if let failure = CurlLibrary.failure { throw .unable(reason: failure) }
        guard let multi = unsafe curl_multi_init() else { throw .unable(reason: "out of memory") }
        mailbox = unsafe Mailbox(waking: multi)
        let loop = unsafe TransferLoop(multi: multi, mailbox: mailbox, settings: settings, bodies: bodies)
        let argument = unsafe Unmanaged.passRetained(loop)
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<TransferLoop>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        guard code == 0 else {
            unsafe argument.release()
            unsafe curl_multi_cleanup(multi)
            throw .unable(reason: "can't start a thread: \(unsafe String(cString: strerror(code)))")
        }
        pthread_detach(thread)
    }

    deinit { _ = mailbox.post(.stop(nil)) }

    /// Sends `request` and returns the response, whatever its status.
    ///
    /// Cancelling the task ends the transfer at once, with `.cancelled`; the server may have done what was asked.
    package func perform(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
        let transfer = Transfer(request)
        let mailbox = self.mailbox
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: Transfer.Continuation) in
                if !mailbox.post(.start(transfer, continuation)) { continuation.resume(returning: .failure(.closed)) }
            }
        } onCancel: {
            _ = mailbox.post(.cancel(transfer))
        }
        return try result.get()
    }

    /// Offers the memory of a response's body, which its caller has done with, to the next one.
    package func giveBack(_ body: [UInt8]) { bodies.give(body) }

    /// Ends what is under way, with `.closed`, and the thread. May be called again.
    package func shutdown() async {
        await withCheckedContinuation { continuation in
            if !mailbox.post(.stop(continuation)) { continuation.resume() }
        }
    }
}
