internal import Journal

/// What becomes of a table whose following has failed: decided from the error and from what the configuration allows.
enum AfterFailure: Hashable, Sendable {
    /// Nothing can go on, and the daemon ends.
    case daemonEnds
    /// It is begun again after a while: a full sync puts it right, and its policy allows one.
    case syncsInFull
    /// It is begun again when somebody has said in the journal how it goes on.
    case waitsForWord
    /// It is begun again after a while, and goes on once an operator has mended what keeps it.
    case waitsForMending
    /// It is begun again after a while.
    case triesAgain

    static func decide(_ error: DaemonError, mode: DaemonConfiguration.Mode, onLoss policy: LossPolicy) -> Self {
        switch error.reach {
        case .daemon: return .daemonEnds
        case .retry: return .triesAgain
        case .table: break
        }
        switch error {
        case .rangeLost(_, _, let lost): return mode == .all && lost.policy == .resync ? .syncsInFull : .waitsForWord
        case .needsFullSync: return mode == .all && policy == .resync ? .syncsInFull : .waitsForWord
        case .tooManyRefused: return .waitsForWord
        case .source, .target, .journal, .misconfigured, .mayNotEnableStream, .tablesFailed: return .waitsForMending
        }
    }

    /// Whether the table goes on only after an operator has done something.
    var needsOperator: Bool { self == .waitsForWord || self == .waitsForMending }
}
