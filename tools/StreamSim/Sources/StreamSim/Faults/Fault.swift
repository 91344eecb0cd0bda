/// What a call may fail with, whatever it asks. The raw value is its name in the control interface and in the coverage.
package enum Fault: String, CaseIterable, Sendable {
    case throttled = "ThrottlingException"
    case throughputExceeded = "ProvisionedThroughputExceededException"
    case limitExceeded = "LimitExceededException"
    case requestLimitExceeded = "RequestLimitExceeded"
    case internalError = "InternalServerError"
    /// A load balancer's page instead of the service's answer.
    case unavailable = "ServiceUnavailable"
    case expiredToken = "ExpiredTokenException"
    /// A policy does not allow the call.
    case accessDenied = "AccessDeniedException"
    case resetBefore = "reset_before"
    case resetAfter = "reset_after"
    case delayed = "delay"
    case truncated = "truncated"
    case malformed = "malformed"
    /// A proxy's page with status 200.
    case notJSON = "not_json"
    case wrongChecksum = "wrong_crc"
    /// The connection is reset, and the write takes effect later (`LateEffect`).
    case lateEffect = "late_effect"
    /// Another transaction has the item; one that meets it is cancelled for that.
    case transactionConflict = "TransactionConflictException"
    /// The transaction with this token is being done.
    case transactionInProgress = "TransactionInProgressException"

    /// What passes by itself, and is drawn for any call. Credentials that have expired, or are denied a call, end a
    /// client that has no others; what only a write can meet is asked for by name.
    package static let ofTheMoment = allCases.filter {
        $0 != .expiredToken && $0 != .accessDenied && $0.actions == nil
    }

    /// The calls that can meet it; `nil`: every one.
    package var actions: Set<Text>? {
        switch self {
        case .lateEffect: Simulator.writeActions
        case .transactionConflict: Simulator.writeActions.subtracting(["BatchWriteItem"])
        case .transactionInProgress: ["TransactWriteItems"]
        default: nil
        }
    }

    /// Whether the call has no effect.
    var comesBefore: Bool {
        switch self {
        case .resetAfter, .delayed, .truncated, .malformed, .notJSON, .wrongChecksum: false
        case .throttled, .throughputExceeded, .limitExceeded, .requestLimitExceeded, .internalError, .unavailable,
            .expiredToken, .accessDenied, .resetBefore, .lateEffect,
            .transactionConflict, .transactionInProgress:
            true
        }
    }

    /// `reply`, as it is after the fault.
    ///
    /// - Parameter longestDelay: in microseconds.
    func applied(to reply: Reply, longestDelay: Int64, chance: inout Chance) -> Reply {
        var reply = reply
        switch self {
        case .throttled, .throughputExceeded, .limitExceeded, .requestLimitExceeded, .expiredToken, .accessDenied,
            .transactionConflict, .transactionInProgress:
            return .error(ServiceError(code: rawValue, message: "a simulated fault", status: 400))
        case .internalError:
            return .error(ServiceError(code: rawValue, message: "a simulated fault", status: 500))
        case .unavailable: return .html(status: 503, "503 Service Unavailable")
        case .notJSON: return .html(status: 200, "Please log in to the proxy")
        case .resetBefore, .lateEffect: reply.delivery = .resetBeforeEffect
        case .resetAfter: reply.delivery = .resetAfterEffect
        case .delayed: reply.delivery = .delayed(Int64(chance.below(Int(max(1, longestDelay)))))
        case .truncated: reply.delivery = .truncated(reply.body.count / 2)
        case .malformed: reply.body.removeLast(min(2, reply.body.count))
        case .wrongChecksum: reply.hasWrongChecksum = true
        }
        return reply
    }
}
