internal import Synchronization

/// Buffers of large bodies that were read and are free again.
///
/// A page of records weighs a megabyte and lives for milliseconds. Given back to the system each time, its memory comes
/// again as 260 page faults, which took a fifth of all processor time; kept on the heap, small blocks among such bodies hold
/// the whole of it.
final class BodyPool: Sendable {
    /// Smaller bodies are the heap's.
    static let smallest = 256 << 10
    /// Larger ones are rare, and not kept.
    private static let largest = 4 << 20
    /// Capacities are multiples of this, so that bodies of about one size fit into each other's buffers.
    private static let step = 256 << 10
    private static let limit = 4

    private let free = Mutex<[[UInt8]]>([])

    /// An empty buffer with room for `count` bytes.
    func take(_ count: Int) -> [UInt8] {
        guard count >= Self.smallest else {
            var body: [UInt8] = []
            body.reserveCapacity(count)
            return body
        }
        var body = free.withLock { free in
            free.lastIndex { $0.capacity >= count }.map { free.remove(at: $0) } ?? []
        }
        body.removeAll(keepingCapacity: true)
        body.reserveCapacity((count + Self.step - 1) / Self.step * Self.step)
        return body
    }

    /// Whoever still reads `body` keeps what it reads: the next user then gets other memory.
    func give(_ body: [UInt8]) {
        guard (Self.smallest...Self.largest).contains(body.capacity) else { return }
        free.withLock { if $0.count < Self.limit { $0.append(body) } }
    }
}
