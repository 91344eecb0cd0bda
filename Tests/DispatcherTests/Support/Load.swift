import Dispatcher
import Synchronization

/// How many bytes of pages there are at a time, in the daemon's hands or reserved for what is on its way to it: never
/// more than is true, for a page counts until it is written, and the daemon holds it a little longer.
final class Load: Sendable {
    private struct State {
        var now = 0
        var most = 0

        mutating func add(_ bytes: Int) {
            now += bytes
            most = max(most, now)
        }
    }

    private let state = Mutex(State())

    var most: Int { state.withLock { $0.most } }

    /// A reply that is on its way; it no longer is when this is let go of.
    final class Reply: Sendable {
        private let load: Load
        private let isUnderWay = Mutex(true)

        fileprivate init(_ load: Load) { self.load = load }

        func arrived(_ bytes: Int) {
            isUnderWay.withLock { $0 = false }
            load.state.withLock { $0.add(bytes - ByteBudget.reply) }
        }

        deinit { if isUnderWay.withLock({ $0 }) { load.state.withLock { $0.add(-ByteBudget.reply) } } }
    }

    func fetching() -> Reply {
        state.withLock { $0.add(ByteBudget.reply) }
        return Reply(self)
    }

    func written(_ bytes: Int) { state.withLock { $0.add(-bytes) } }
}
