internal import CCurl
internal import Glibc

/// What the engine's one thread does: all of libcurl's multi interface happens here (libcurl: a handle is never used by
/// two threads at once).
///
/// `@unchecked Sendable`: handed once to its thread, and touched by no other.
@safe final class TransferLoop: @unchecked Sendable {
    private let multi: UnsafeMutableRawPointer
    private let mailbox: Mailbox
    private let settings: HTTPSettings
    private let bodies: BodyPool
    /// By the handle's pointer. They hold the transfers that libcurl's callbacks are given unretained.
    private var active: [UnsafeMutableRawPointer: (handle: EasyHandle, transfer: Transfer)] = unsafe [:]
    private var idle: [EasyHandle] = []
    /// Those beyond `maximumTransfers`, oldest first, from `firstWaiting` on.
    private var waiting: [Transfer] = []
    private var firstWaiting = 0

    init(multi: UnsafeMutableRawPointer, mailbox: Mailbox, settings: HTTPSettings, bodies: BodyPool) {
        unsafe self.multi = multi
        self.bodies = bodies
        self.mailbox = mailbox
        self.settings = settings
        // Idle connections to keep: as many as can be busy.
        unsafe shake_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, settings.maximumTransfers)
    }

    /// Runs until told to stop, which also frees the multi handle.
    func run() {
        while true {
            for message in mailbox.takeAll() {
                switch message {
                case .start(let transfer, let continuation):
                    transfer.expectAnswer(to: continuation, bodyLimit: settings.maximumBodyBytes, bodies: bodies)
                    // The cancellation can be read before the start.
                    if transfer.isOver { transfer.answer(.failure(.cancelled)) } else { waiting.append(transfer) }
                case .cancel(let transfer):
                    cancel(transfer)
                case .stop(let continuation):
                    stop()
                    continuation?.resume()
                    return
                }
            }
            startWaiting()
            var running: Int32 = 0
            unsafe curl_multi_perform(multi, &running)
            finishDone()
            // What completes within `perform` isn't seen by `poll`: having started something, perform again first.
            if !startWaiting(), mailbox.fallAsleep() { unsafe curl_multi_poll(multi, nil, 0, 60_000, nil) }
        }
    }

    /// - Returns: whether any was started.
    @discardableResult
    private func startWaiting() -> Bool {
        var started = false
        while firstWaiting < waiting.count, unsafe active.count < settings.maximumTransfers {
            let transfer = waiting[firstWaiting]
            firstWaiting += 1
            guard !transfer.isOver else { continue }
            do throws(CurlError) {
                try start(transfer)
                started = true
            } catch {
                transfer.answer(.failure(error))
            }
        }
        if firstWaiting == waiting.count || firstWaiting > 1024 {
            waiting.removeFirst(firstWaiting)
            firstWaiting = 0
        }
        return started
    }

    private func start(_ transfer: Transfer) throws(CurlError) {
        var handle: EasyHandle
        if let used = idle.popLast() { handle = used } else { handle = try EasyHandle(settings) }
        do throws(CurlError) {
            try handle.prepare(transfer, settings)
            let code = unsafe curl_multi_add_handle(multi, handle.pointer)
            guard code == CURLM_OK else { throw .unable(reason: unsafe String(cString: curl_multi_strerror(code))) }
        } catch {
            handle.free()
            throw error
        }
        unsafe transfer.handle = handle.pointer
        unsafe active[handle.pointer] = (handle, transfer)
    }

    private func finishDone() {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE, let easy = unsafe message.pointee.easy_handle else {
                continue
            }
            // The message dies with the next line.
            let code = unsafe shake_message_result(message)
            guard let (handle, transfer) = unsafe remove(easy) else { continue }
            if code == CURLE_OK {
                transfer.answer(status: handle.status, headers: handle.responseHeaders)
            } else {
                transfer.answer(.failure(transfer.fault ?? handle.error(code)))
            }
            idle.append(handle)
        }
    }

    private func cancel(_ transfer: Transfer) {
        guard !transfer.isOver else { return }
        if let easy = unsafe transfer.handle, let (handle, _) = unsafe remove(easy) { idle.append(handle) }
        transfer.answer(.failure(.cancelled))
    }

    private func remove(_ easy: UnsafeMutableRawPointer) -> (handle: EasyHandle, transfer: Transfer)? {
        unsafe curl_multi_remove_handle(multi, easy)
        guard let entry = unsafe active.removeValue(forKey: easy) else { return nil }
        unsafe entry.transfer.handle = nil
        return entry
    }

    private func stop() {
        for message in mailbox.close() {
            switch message {
            case .start(let transfer, let continuation):
                transfer.expectAnswer(to: continuation, bodyLimit: 0, bodies: bodies)
                transfer.answer(.failure(.closed))
            case .cancel: break
            case .stop(let continuation): continuation?.resume()
            }
        }
        for transfer in waiting[firstWaiting...] where !transfer.isOver { transfer.answer(.failure(.closed)) }
        waiting = []
        for entry in unsafe Array(active.values) {
            unsafe curl_multi_remove_handle(multi, entry.handle.pointer)
            entry.transfer.answer(.failure(.closed))
            idle.append(entry.handle)
        }
        unsafe active = [:]
        for var handle in idle { handle.free() }
        idle = []
        unsafe curl_multi_cleanup(multi)
    }
}
