internal import CCurl
internal import Synchronization

/// How other threads speak to the engine's.
///
/// `@unchecked Sendable`: of a multi handle only `curl_multi_wakeup` may be called by any thread (libcurl, 7.68); it is
/// called under the lock, and `close` sees to it that none comes after the handle is gone.
@safe final class Mailbox: @unchecked Sendable {
    enum Message: Sendable {
        case start(Transfer, Transfer.Continuation)
        case cancel(Transfer)
        case stop(CheckedContinuation<Void, Never>?)
    }

    private struct State {
        var messages: [Message] = []
        /// The engine's thread is in `curl_multi_poll`, or about to be.
        var isAsleep = false
        var isClosed = false
    }

    private let multi: UnsafeMutableRawPointer
    private let state = Mutex(State())

    init(waking multi: UnsafeMutableRawPointer) { unsafe self.multi = multi }

    /// - Returns: `false` if nobody will read it any more.
    func post(_ message: Message) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.messages.append(message)
            if state.isAsleep {
                state.isAsleep = false
                unsafe curl_multi_wakeup(multi)
            }
            return true
        }
    }

    func takeAll() -> [Message] {
        state.withLock { state in
            state.isAsleep = false
            defer { state.messages.removeAll(keepingCapacity: true) }
            return state.messages
        }
    }

    /// - Returns: `false` if there is something to read first. After `true` the next message ends a poll.
    func fallAsleep() -> Bool {
        state.withLock { state in
            state.isAsleep = state.messages.isEmpty
            return state.isAsleep
        }
    }

    /// Takes nothing more, and gives back what nobody has read.
    func close() -> [Message] {
        state.withLock { state in
            state.isClosed = true
            defer { state.messages = [] }
            return state.messages
        }
    }
}
