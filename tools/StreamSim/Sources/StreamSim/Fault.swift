/// What a call may fail with, whatever it asks.
enum Fault: String, CaseIterable, Sendable {
    case throttled = "ThrottlingException"
    case throughputExceeded = "ProvisionedThroughputExceededException"
    case limitExceeded = "LimitExceededException"
    case internalError = "InternalServerError"
    case unavailable = "503 in HTML"
    case resetBefore = "reset before the effect"
    case resetAfter = "reset after the effect"
    case delayed = "delay"
    case truncated = "truncated body"
    case malformed = "malformed JSON"
    case wrongChecksum = "wrong checksum"
    case expiredToken = "ExpiredTokenException"

    /// `reply`, as it is after the fault.
    func applied(to reply: Reply, chance: inout Chance) -> Reply {
        var reply = reply
        switch self {
        case .throttled, .throughputExceeded, .limitExceeded, .expiredToken: return .error(rawValue)
        case .internalError: return .error(rawValue, status: 500)
        case .unavailable:
            return Reply(status: 503, body: Array("<html><body>503 Service Unavailable</body></html>".utf8))
        case .resetBefore: reply.delivery = .resetBeforeEffect
        case .resetAfter: reply.delivery = .resetAfterEffect
        case .delayed: reply.delivery = .delayed(Int64(chance.below(20_000_000)))
        case .truncated: reply.delivery = .truncated(reply.body.count / 2)
        case .malformed: reply.body.removeLast(min(2, reply.body.count))
        case .wrongChecksum: reply.headers.append((name: "x-amz-crc32", value: "1"))
        }
        return reply
    }

    /// Whether the call has no effect.
    var comesBefore: Bool {
        switch self {
        case .resetAfter, .delayed, .truncated, .malformed, .wrongChecksum: false
        default: true
        }
    }
}
