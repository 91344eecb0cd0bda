internal import NIOCore
internal import Synchronization

/// Who is connected, and who of them is not being answered: of these the one that has been so for longest makes room where one more
/// comes than there is room for. So whoever asks at once is answered, however many hold connections and don't.
final class Lobby: Sendable {
    private struct State {
        var connected = 0
        /// The longest first.
        var idle: [(id: ObjectIdentifier, channel: any Channel)] = []
    }

    private let room: Int
    private let state = Mutex(State())

    init(room: Int) { self.room = room }

    func entered(_ channel: any Channel) {
        let leaves: (any Channel)? = state.withLock { state in
            state.connected += 1
            state.idle.append((ObjectIdentifier(channel), channel))
            guard state.connected > room else { return nil }
            return state.idle.removeFirst().channel
        }
        leaves?.close(promise: nil)
    }

    func changed(_ channel: any Channel, isIdle: Bool) {
        state.withLock { state in
            state.idle.removeAll { $0.id == ObjectIdentifier(channel) }
            if isIdle { state.idle.append((ObjectIdentifier(channel), channel)) }
        }
    }

    func left(_ channel: any Channel) {
        state.withLock { state in
            state.connected -= 1
            state.idle.removeAll { $0.id == ObjectIdentifier(channel) }
        }
    }
}
