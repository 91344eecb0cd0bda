package import StreamModel

/// Why a target could not do what was asked. Each text says what happened, to what, and what to do.
package enum TargetError: Error, Equatable, CustomStringConvertible {
    /// Locked, full, or out of reach: the same write may succeed later.
    case unavailable(target: String, reason: String)
    /// A record that this target can't hold, or bytes that are no record; with the change where it is known which.
    case unwritable(target: String, what: String, reason: String, change: Change? = nil)
    /// The target isn't what the URL or the journal says: an operator must act.
    case misconfigured(target: String, reason: String)
    /// It went away, or took a part that can't be taken back: the run ends, and another one goes on.
    case broken(target: String, reason: String)

    package var isRetryable: Bool {
        switch self {
        case .unavailable: true
        case .unwritable, .misconfigured, .broken: false
        }
    }

    package var description: String {
        switch self {
        case .unavailable(let target, let reason), .misconfigured(let target, let reason),
            .broken(let target, let reason):
            "\(Self.subject(target)) \(reason)"
        case .unwritable(let target, let what, let reason, _): "\(Self.subject(target)) can't write \(what): \(reason)"
        }
    }

    /// A scheme by itself ends with a colon already.
    private static func subject(_ target: String) -> String { "target \(target)" + (target.hasSuffix(":") ? "" : ":") }
}
