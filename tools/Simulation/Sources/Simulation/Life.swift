package import Journal
internal import StreamModel
internal import Synchronization

/// One process of the daemon, from its start to its end: it can be killed between any two things that it does to the world.
///
/// What is dead has no more effect: its journal takes nothing, its target holds what it held, its source doesn't answer.
package final class Life: Sendable {
    private struct State {
        /// How many more steps it has.
        var left: Int
        var isAlive = true
        var journal: Journal?
        var onDeath: @Sendable () -> Void = {}
    }

    private let state: Mutex<State>

    /// - Parameter steps: after how many it is killed.
    package init(steps: Int = .max) { state = Mutex(State(left: steps)) }

    package var isAlive: Bool { state.withLock { $0.isAlive } }

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
    package func step() async -> Bool {
        let (isAlive, dies) = state.withLock { state in
            guard state.isAlive else { return (false, false) }
            state.left -= 1
            return (state.left > 0, state.left <= 0)
        }
        if dies { await die() }
        return isAlive
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
