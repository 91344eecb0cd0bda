/// When a program that prints credentials is over: a value, without process or clock.
///
/// It is when it has ended and its output has, whichever comes first; or at a bound, where one of them never comes: what it has
/// started may hold the output open for as long as that lives.
struct ProcessMachine: Equatable, Sendable {
    enum Event: Equatable, Sendable {
        case printed([UInt8])
        /// Nobody has its output open any more; or nobody reads on.
        case outputEnded
        case ended(status: Int32)
        case boundReached
        case cancelled
    }

    enum Ending: Equatable, Sendable {
        case ended(status: Int32, output: [UInt8])
        /// It runs on.
        case hangs
        /// It has ended, and something that it has started holds its output.
        case isHeld(status: Int32)
        case cancelled
    }

    /// In bytes: no credentials are longer, and a writer of more is ended by its own next write.
    static let longest = 64 << 10

    private var output: [UInt8] = []
    private var hasOutputEnded = false
    private var status: Int32?
    private(set) var ending: Ending?

    var isRead: Bool { !hasOutputEnded && ending == nil && output.count <= Self.longest }

    /// What comes after its ending changes nothing: the events race.
    mutating func handle(_ event: Event) {
        guard ending == nil else { return }
        switch event {
        case .printed(let bytes): output += bytes
        case .outputEnded: hasOutputEnded = true
        case .ended(let status): self.status = status
        case .boundReached: ending = status.map { .isHeld(status: $0) } ?? .hangs
        case .cancelled: ending = .cancelled
        }
        if ending == nil, hasOutputEnded, let status { ending = .ended(status: status, output: output) }
    }
}
