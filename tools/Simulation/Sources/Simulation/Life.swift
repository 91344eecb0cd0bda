package import Journal
package import StreamModel
internal import Synchronization

/// One process of the daemon, or of an operator's command, from its start to its end: it can be killed between any two
/// things that it does to the world, and stopped for a while.
///
/// What is dead has no more effect: its journal takes nothing, its target holds what it held, its source doesn't answer.
package final class Life: Sendable {
    /// What it does to the world.
    package enum Step: Hashable, Sendable {
        case request
        case reply
        case preparing
        case writing
        case written
        case point(CrashPoint)

        package var name: String {
            switch self {
            case .request: "before a request"
            case .reply: "before its reply"
            case .preparing: "before a place is made"
            case .writing: "before a write"
            case .written: "after a write"
            case .point(let point): point.rawValue
            }
        }
    }

    private struct State {
        /// How many more steps it has.
        var left: Int
        var isAlive = true
        /// Whether it is to be stopped as soon as it asks for the start of a shard.
        var isBraked = false
        var journal: Journal?
        var onDeath: @Sendable () -> Void = {}
    }

    private let state: Mutex<State>
    private let onKill: @Sendable (Step) -> Void
    /// Where its tasks run.
    package let lane: Conductor.Lane

    /// - Parameters:
    ///   - steps: after how many it is killed.
    ///   - onKill: told where that is.
    package init(
        _ lane: Conductor.Lane, steps: Int = .max, onKill: @escaping @Sendable (Step) -> Void = { _ in }
    ) {
        self.lane = lane
        self.onKill = onKill
        state = Mutex(State(left: steps))
    }

    package var isAlive: Bool { state.withLock { $0.isAlive } }
    /// Whether it has begun and not ended.
    package var isRunning: Bool { state.withLock { $0.isAlive && $0.journal != nil } }

    /// - Parameter onDeath: called at the moment of it.
    package func begins(_ journal: Journal, onDeath: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.journal = journal
            state.onDeath = onDeath
        }
    }

    /// It has ended, and lets go of what it held.
    package func ends() {
        state.withLock { state in
            state.journal = nil
            state.onDeath = {}
        }
    }

    /// Goes past a point at which it may be killed.
    ///
    /// - Returns: whether it lives on.
    package func step(_ step: Step) async -> Bool {
        let (isAlive, dies) = state.withLock { state in
            guard state.isAlive else { return (false, false) }
            state.left -= 1
            return (state.left > 0, state.left <= 0)
        }
        if dies {
            onKill(step)
            await die()
        }
        return isAlive
    }

    /// It is killed at whatever it does next.
    package func diesNext() { dies(after: 1) }

    /// It is killed after so many steps more at the latest.
    package func dies(after steps: Int) { state.withLock { $0.left = min($0.left, steps) } }

    /// Stops it as soon as it asks for the start of a shard, before the service has that; until it is stopped anyway.
    package func stopAtNextStart() { state.withLock { $0.isBraked = true } }

    package func stop() {
        state.withLock { $0.isBraked = false }
        lane.stop()
    }

    /// It asks for the start of a shard.
    package func asksForStart() {
        let isStopped = state.withLock { state in
            defer { state.isBraked = false }
            return state.isBraked
        }
        if isStopped { lane.stop() }
    }

    package func die() async {
        let (journal, onDeath) = state.withLock { state in
            state.isAlive = false
            return (state.journal, state.onDeath)
        }
        await journal?.abandon()
        onDeath()
    }
}
