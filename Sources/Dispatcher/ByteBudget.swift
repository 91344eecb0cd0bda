internal import DequeModule
internal import Synchronization

/// One bound for all pages that the process holds: a slow target slows the reading and never grows the heap.
///
/// Who wants to fetch takes a lease on what a reply may weigh, sets it to what it did weigh, and lets go when the page is
/// durable. Waiters are served in order.
package final class ByteBudget: Sendable {
    /// What is reserved for a reply that is still to come: GetRecords and Scan cut theirs at 1 MB before JSON's own growth.
    package static let reply = 1 << 20

    private struct Waiter {
        let id: Int
        let bytes: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var free: Int
        var nextID = 0
        var waiters: Deque<Waiter> = []

        mutating func takeServed() -> [Waiter] {
            var served: [Waiter] = []
            while let first = waiters.first, first.bytes <= free {
                free -= first.bytes
                served.append(waiters.removeFirst())
            }
            return served
        }
    }

    let capacity: Int
    private let state: Mutex<State>

    /// - Parameter capacity: bytes; at least two replies' worth, so that one page can be fetched while one is written.
    package init(capacity: Int) {
        self.capacity = max(capacity, 2 * Self.reply)
        state = Mutex(State(free: self.capacity))
    }

    /// Leased now: more than there is where a reply weighed more than was reserved for it.
    var held: Int { capacity - state.withLock { $0.free } }

    /// Held as long as the bytes are.
    package final class Lease: Sendable {
        private let budget: ByteBudget
        private let bytes: Mutex<Int>

        fileprivate init(budget: ByteBudget, bytes: Int) {
            self.budget = budget
            self.bytes = Mutex(bytes)
        }

        /// What was reserved is now known. More than that is taken even if there is no room: it is in memory already.
        package func resize(to actual: Int) {
            let freed = bytes.withLock { bytes in
                defer { bytes = actual }
                return bytes - actual
            }
            budget.give(freed)
        }

        deinit { budget.give(bytes.withLock { $0 }) }
    }

    /// Waits for its turn.
    package func reserve(_ bytes: Int = ByteBudget.reply) async throws(CancellationError) -> Lease {
        let wanted = min(bytes, capacity)
        if let lease = reserveNow(wanted) { return lease }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let granted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.waiters.isEmpty, state.free >= wanted {
                        state.free -= wanted
                        return true
                    }
                    state.waiters.append(Waiter(id: id, bytes: wanted, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: false)
            give(0)  // the waiter behind it may be small enough
        }
        guard granted else { throw CancellationError() }
        return Lease(budget: self, bytes: wanted)
    }

    /// A lease if there is room at once and nobody waits.
    package func reserveNow(_ bytes: Int = ByteBudget.reply) -> Lease? {
        let wanted = min(bytes, capacity)
        let granted = state.withLock { state in
            guard state.waiters.isEmpty, state.free >= wanted else { return false }
            state.free -= wanted
            return true
        }
        return granted ? Lease(budget: self, bytes: wanted) : nil
    }

    private func give(_ bytes: Int) {
        let served = state.withLock { state in
            state.free += bytes
            return state.takeServed()
        }
        for waiter in served { waiter.continuation.resume(returning: true) }
    }
}
