internal import Synchronization

/// Things for one reader, who takes all that have come. Bounded by what is put in: the reader takes equal things once.
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

    /// Waits until something has come; empty only when the task was cancelled.
    package func take() async -> Set<Element> {
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
        return state.withLock { state in
            defer { state.elements = [] }
            return state.elements
        }
    }
}
