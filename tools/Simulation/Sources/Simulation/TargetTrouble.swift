/// What goes wrong with a write.
package enum TargetTrouble: Hashable, Sendable {
    case unavailable
    /// Some of it is written, and nobody is told how much.
    case partial(share: Double)
    /// All of it is written, and nobody is told.
    case lostAnswer
    case slow(Duration)
    /// For longer than an iterator lives.
    case hang(Duration)

    package var name: String {
        switch self {
        case .unavailable: "unavailable"
        case .partial: "partial batch"
        case .lostAnswer: "lost answer"
        case .slow: "slow"
        case .hang: "hang"
        }
    }
}
