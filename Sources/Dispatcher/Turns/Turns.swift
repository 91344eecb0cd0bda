package import DynamoDB
package import StreamModel
internal import Synchronization

/// Where readers wait until they may ask for a page: for their turn among all shards, and for room for the reply.
///
/// One task serves them while anybody waits. It has the room before it says whose turn it is, so that nobody holds room while
/// waiting for a turn, nor a turn while waiting for room.
package final class Turns: Sendable {
    private struct State {
        var queue: TurnQueue
        var nextID = 0
        var waiters: [Int: CheckedContinuation<ByteBudget.Lease?, Never>] = [:]
        var isServing = false
        /// Until when whoever serves sleeps.
        var nap: (task: Task<Void, Never>, end: Duration)?
        /// As far as they are set down.
        var callsMadeAgain: Int
    }

    private let state: Mutex<State>
    private let budget: ByteBudget
    private let surroundings: Surroundings
    private let callsMadeAgain: @Sendable () -> Int

    /// - Parameter callsMadeAgain: how many calls of GetRecords were second tries, up to now.
    package init(
        _ limits: CallLimits, budget: ByteBudget, surroundings: Surroundings,
        callsMadeAgain: @escaping @Sendable () -> Int = { 0 }
    ) {
        state = Mutex(State(queue: TurnQueue(limits), callsMadeAgain: callsMadeAgain()))
        self.budget = budget
        self.surroundings = surroundings
        self.callsMadeAgain = callsMadeAgain
    }

    /// How many wait.
    package var waiting: Int { state.withLock { $0.waiters.count } }

    /// A lease on a reply's bytes, once it is the caller's turn.
    package func wait(
        of table: TableName, _ urgency: TurnQueue.Urgency
    ) async throws(CancellationError) -> ByteBudget.Lease {
        if let lease = takeNow(table) { return lease }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let lease = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    // A cancellation that came before this line found no waiter to let go of.
                    if Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    state.queue.add(id, of: table, urgency)
                    serve(&state)
                    return false
                }
                if isCancelled { continuation.resume(returning: nil) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.queue.remove(id, of: table, urgency)
                if state.queue.isEmpty { state.nap?.task.cancel() }
                return state.waiters.removeValue(forKey: id)
            }
            waiter?.resume(returning: nil)
        }
        guard let lease else { throw CancellationError() }
        return lease
    }

    /// The same where nobody has to be waited for: for what is fetched ahead.
    package func takeNow(_ table: TableName) -> ByteBudget.Lease? {
        state.withLock { state in
            let now = surroundings.uptime()
            setDownCallsMadeAgain(&state, now)
            guard state.queue.isFree(for: table, at: now), let lease = budget.reserveNow() else { return nil }
            state.queue.called(table, at: now)
            return lease
        }
    }

    /// Has the queue served from now on; and at once, where who came last may call before all others.
    private func serve(_ state: inout State) {
        if let nap = state.nap, let wait = state.queue.wait(at: surroundings.uptime()),
            surroundings.uptime() + wait < nap.end
        {
            nap.task.cancel()
        }
        guard !state.isServing else { return }
        state.isServing = true
        Task(executorPreference: surroundings.executor) { await self.serveAll() }
    }

    private enum Step {
        case nap(Task<Void, Never>)
        case grant
        case end
    }

    private func serveAll() async {
        while true {
            switch state.withLock({ step(&$0) }) {
            case .end: return
            case .nap(let nap): await nap.value
            case .grant:
                // Nobody holds this task, so nobody cancels it.
                guard let lease = try? await budget.reserve() else { preconditionFailure("nobody cancels this task") }
                let granted = state.withLock { state in
                    state.queue.next(at: surroundings.uptime()).flatMap { state.waiters.removeValue(forKey: $0) }
                }
                granted?.resume(returning: lease)
            }
        }
    }

    private func step(_ state: inout State) -> Step {
        state.nap = nil
        let now = surroundings.uptime()
        setDownCallsMadeAgain(&state, now)
        guard let wait = state.queue.wait(at: now) else {
            state.isServing = false
            return .end
        }
        guard wait > .zero else { return .grant }
        let nap = Task(executorPreference: surroundings.executor) { [surroundings] in
            _ = try? await surroundings.sleep(for: wait)
        }
        state.nap = (nap, now + wait)
        return .nap(nap)
    }

    /// A second try waits for no turn, since it has waited after the first one, and the others wait for it.
    private func setDownCallsMadeAgain(_ state: inout State, _ now: Duration) {
        let made = callsMadeAgain()
        while state.callsMadeAgain < made {
            state.callsMadeAgain += 1
            state.queue.calledAgain(at: now)
        }
    }
}
