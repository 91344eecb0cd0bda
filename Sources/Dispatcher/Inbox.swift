internal import Synchronization

/// Things for one reader, who takes all that have come. Bounded by what is put in: the reader takes equal things once.
///
/// To wait takes nothing: where the reader ends before it has taken what it was woken for, that is there for the next one.
/// An operator's word about a table may come while that table's work ends for the very thing that the word is about.
package final class Inbox<Element: Hashable & Sendable>: Sendable {
    private struct State {
        var elements: Set<Element> = []
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func put(_ elements: some Sequence<Element>) {
        let waiter = state.withLock { state in
            state.elements.formUnion(elements)
            return state.elements.isEmpty ? nil : state.waiter.take()
        }
        waiter?.resume()
    }

    /// Returns once there is something to take, or the task is cancelled.
    package func arrival() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    if !state.elements.isEmpty || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume()
        }
    }

    package func take() -> Set<Element> {
        state.withLock { state in
            defer { state.elements = [] }
            return state.elements
        }
    }
}
