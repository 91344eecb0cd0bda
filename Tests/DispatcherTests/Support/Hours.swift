import StreamModel
import Synchronization

/// A clock that is so many hours ahead of the machine's, as a test puts it on.
final class Hours: Sendable {
    private let ahead: Mutex<Int>

    init(_ ahead: Int = 0) { self.ahead = Mutex(ahead) }

    func set(_ hours: Int) { ahead.withLock { $0 = hours } }

    var now: @Sendable () -> Timestamp {
        { [self] in .now() + .seconds(3600 * ahead.withLock { $0 }) }
    }
}
