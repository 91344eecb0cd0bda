package import DynamoDB
package import StreamModel
internal import Synchronization

/// Where readers wait until they may ask for a page: for their turn among all shards, and for room for the reply.
///
/// One task serves them while anybody waits. It has the room before it says whose turn it is, so that nobody holds room while
/// waiting for a turn, nor a turn while waiting for room.
package final class Turns: Sendable {
    /// What is done at somebody's turn; with `nil` where it went away instead.
    private typealias Waiter = @Sendable (ByteBudget.Lease?) -> Void

    private struct State {
        var queue: TurnQueue
        var nextID = 0
        var waiters: [Int: Waiter] = [:]

        mutating func newID() -> Int {
            nextID += 1
            return nextID
        }
        var isServing = false
        /// Until when whoever serves sleeps.
        var nap: (task: Task<Bool, Never>, end: Duration)?
        /// The end of the latest nap that was slept to its end: that has come, whatever the clock reads.
        var slept: Duration = .zero
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

    private func now(_ slept: Duration) -> Duration { max(surroundings.uptime(), slept) }

    /// How many wait.
    package var waiting: Int { state.withLock { $0.waiters.count } }

    /// A lease on a reply's bytes, once it is the caller's turn.
    package func wait(
        of table: TableName, _ urgency: TurnQueue.Urgency
    ) async throws(CancellationError) -> ByteBudget.Lease {
        if let lease = takeNow(table) { return lease }
        let id = state.withLock { $0.newID() }
        let lease = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    // A cancellation that came before this line found no waiter to let go of.
                    if Task.isCancelled { return true }
                    state.waiters[id] = { continuation.resume(returning: $0) }
                    state.queue.add(id, of: table, urgency)
                    serve(&state, at: now(state.slept))
                    return false
                }
                if isCancelled { continuation.resume(returning: nil) }
            }
        } onCancel: {
            let waiter = state.withLock { state in withdraw(id, of: table, urgency, &state) }
            waiter?(nil)
        }
        guard let lease else { throw CancellationError() }
        return lease
    }

    /// A turn that somebody waits for and holds no task meanwhile.
    package struct Booking: Sendable {
        fileprivate let id: Int
        fileprivate let table: TableName
        fileprivate let urgency: TurnQueue.Urgency
    }

    /// Waits for a turn once `delay` has passed. Then `body` is called with the lease, unless the booking is given up before: within
    /// the task that serves all, so it had better be short.
    package func book(
        of table: TableName, _ urgency: TurnQueue.Urgency, after delay: Duration,
        _ body: @escaping @Sendable (ByteBudget.Lease) -> Void
    ) -> Booking {
        state.withLock { state in
            let booking = Booking(id: state.newID(), table: table, urgency: urgency)
            state.waiters[booking.id] = { lease in if let lease { body(lease) } }
            let now = now(state.slept)
            state.queue.add(booking.id, of: table, urgency, from: now + delay)
            serve(&state, at: now)
            return booking
        }
    }

    /// Without effect where the turn has come.
    package func giveUp(_ booking: Booking) {
        let waiter = state.withLock { state in withdraw(booking.id, of: booking.table, booking.urgency, &state) }
        waiter?(nil)
    }

    /// The same where nobody has to be waited for: for what is fetched ahead.
    package func takeNow(_ table: TableName) -> ByteBudget.Lease? {
        state.withLock { state in
            let now = now(state.slept)
            setDownCallsMadeAgain(&state, now)
            guard state.queue.isFree(for: table, at: now), let lease = budget.reserveNow() else { return nil }
            state.queue.called(table, at: now)
            return lease
        }
    }

    /// - Returns: who waited, if it still did.
    private func withdraw(
        _ id: Int, of table: TableName, _ urgency: TurnQueue.Urgency, _ state: inout State
    ) -> Waiter? {
        state.queue.remove(id, of: table, urgency)
        if state.queue.isEmpty { state.nap?.task.cancel() }
        return state.waiters.removeValue(forKey: id)
    }

    /// Has the queue served from now on; and at once, where who came last may call before all others.
    private func serve(_ state: inout State, at now: Duration) {
        if let nap = state.nap, let wait = state.queue.wait(at: now), now + wait < nap.end { nap.task.cancel() }
        guard !state.isServing else { return }
        state.isServing = true
        // By the same reading of the clock, so that who is first to wait does so for as long as was asked for.
        let first = step(&state, at: now)
        Task(executorPreference: surroundings.executor) { await self.serveAll(from: first) }
    }

    private enum Step {
        case nap(Task<Bool, Never>, until: Duration)
        case grant
        case end
    }

    private func serveAll(from first: Step) async {
        var step = first
        while true {
            switch step {
            case .end: return
            case .nap(let nap, let end):
                if await nap.value { state.withLock { $0.slept = max($0.slept, end) } }
            case .grant:
                // Nobody holds this task, so nobody cancels it.
                guard let lease = try? await budget.reserve() else { preconditionFailure("nobody cancels this task") }
                let granted = state.withLock { state in
                    state.queue.next(at: now(state.slept)).flatMap { state.waiters.removeValue(forKey: $0) }
                }
                granted?(lease)
            }
            step = state.withLock { self.step(&$0, at: now($0.slept)) }
        }
    }

    private func step(_ state: inout State, at now: Duration) -> Step {
        state.nap = nil
        setDownCallsMadeAgain(&state, now)
        state.queue.rouse(at: now)
        guard let wait = state.queue.wait(at: now) else {
            state.isServing = false
            return .end
        }
        guard wait > .zero else { return .grant }
        let nap = Task(executorPreference: surroundings.executor) { [surroundings] in
            do { try await surroundings.sleep(for: wait) } catch { return false }
            return true
        }
        state.nap = (nap, now + wait)
        return .nap(nap, until: now + wait)
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
