import Synchronization

/// The moment of a crash: after so many calls of source and target nobody outside answers any more.
///
/// Each call asks twice: before it has an effect, and when it has had one that nobody is told of. So a count of one up
/// to all of them is a crash at every point at which the daemon touches the world.
final class Fuse: Sendable {
    private struct State {
        var left: Int
        var taken = 0
        var onBurnt: @Sendable () async -> Void = {}
    }

    private let state: Mutex<State>

    init(steps: Int = .max) { state = Mutex(State(left: steps)) }

    var isBurnt: Bool { state.withLock { $0.left <= 0 } }
    /// How many steps were made.
    var steps: Int { state.withLock { $0.taken } }

    /// What ends with everything else.
    func whenBurnt(_ body: @escaping @Sendable () async -> Void) { state.withLock { $0.onBurnt = body } }

    /// - Returns: whether the world still stands.
    func step() async -> Bool {
        let (isAlive, last) = state.withLock { state in
            guard state.left > 0 else { return (false, nil as (@Sendable () async -> Void)?) }
            state.left -= 1
            state.taken += 1
            return state.left > 0 ? (true, nil) : (false, state.onBurnt)
        }
        await last?()
        return isAlive
    }
}
