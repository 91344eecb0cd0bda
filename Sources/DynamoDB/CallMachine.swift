internal import StreamModel

/// Decides what one call does after a failed attempt: a value, without clock, chance or network.
///
///     attempt ──fails──▶ wait, again | other credentials, again (once) | other clock, again (once) | give up
struct CallMachine: Equatable, Sendable {
    enum Failure: Equatable, Sendable {
        /// The service said so; `serviceTime` from the reply's Date header.
        case refused(ErrorClass, serviceTime: Timestamp?)
        /// Nothing whole came back.
        case broken
        /// Asking again can't help.
        case final

        /// For whoever observes the machine's steps.
        var name: String {
            switch self {
            case .refused(let errorClass, _): "\(errorClass)"
            case .broken: "broken"
            case .final: "final"
            }
        }
    }

    enum Action: Equatable, Sendable {
        case wait(Duration)
        /// Look credentials up anew; if they are the same ones, that is the end.
        case refreshCredentials
        /// From now on sign by this time instead of ours.
        case setClock(Timestamp)
        case giveUp

        var name: String {
            switch self {
            case .wait: "wait"
            case .refreshCredentials: "refresh credentials"
            case .setClock: "set the clock"
            case .giveUp: "give up"
            }
        }
    }

    private let policy: RetryPolicy
    private var attempts = 0
    private var hasRefreshed = false
    private var hasSetClock = false

    init(_ policy: RetryPolicy) { self.policy = policy }

    mutating func handle(_ failure: Failure, random: Double) -> Action {
        attempts += 1
        switch failure {
        case .final: return .giveUp
        case .broken: return wait(isThrottle: false, random)
        case .refused(let errorClass, let serviceTime):
            switch errorClass {
            case .throttled: return wait(isThrottle: true, random)
            case .transient: return wait(isThrottle: false, random)
            case .credentials:
                defer { hasRefreshed = true }
                return hasRefreshed ? .giveUp : .refreshCredentials
            case .clockSkewed:
                defer { hasSetClock = true }
                guard !hasSetClock, let serviceTime else { return .giveUp }
                return .setClock(serviceTime)
            case .expiredIterator, .trimmed, .notFound, .inUse, .denied, .permanent: return .giveUp
            }
        }
    }

    private func wait(isThrottle: Bool, _ random: Double) -> Action {
        policy.delay(after: attempts, isThrottle: isThrottle, random: random).map { .wait($0) } ?? .giveUp
    }
}
