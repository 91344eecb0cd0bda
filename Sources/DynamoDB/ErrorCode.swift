/// What an error code calls for. The one place where codes are told apart.
enum ErrorClass: Hashable, Sendable {
    /// Too much is asked for: try again, after a longer wait.
    case throttled
    /// A failure of the moment: try again.
    case transient
    /// The credentials aren't (or are no longer) good: once more with others, if there are others by now.
    case credentials
    /// Our clock is off: once more by the service's.
    case clockSkewed
    /// The iterator is older than 15 minutes: get another.
    case expiredIterator
    /// The records asked for have left the stream.
    case trimmed
    /// The table, stream or shard isn't there.
    case notFound
    /// What was asked for is under way or so already, or waits for another change of the table: look again.
    case inUse
    /// A policy doesn't allow it.
    case denied
    /// Asking again would bring the same answer.
    case permanent

    /// Sources: API Reference (Streams, Errors), Developer Guide "Programming.Errors", botocore's retry tables.
    ///
    /// - Parameters:
    ///   - code: as `ErrorReply` gives it; for a body without a code, the HTTP status.
    ///   - message: tells a signature that is wrong from one that is late.
    init(code: String, message: String, status: Int) {
        switch code {
        case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
            "TooManyRequestsException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
            "BandwidthLimitExceeded", "LimitExceededException", "SlowDown", "TransactionInProgressException",
            "EC2ThrottledException", "429":
            self = .throttled
        case "InternalServerError", "InternalFailure", "InternalServerErrorException", "ServiceUnavailable",
            "ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete",
            "ReplicatedWriteConflictException", "TransactionConflictException", "IDPCommunicationError",
            "IDPCommunicationErrorException", "408":
            self = .transient
        // The service's own 400 names its code: one that names none was damaged on its way.
        case "400": self = .transient
        case "UnrecognizedClientException", "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId":
            self = .credentials
        case "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture":
            self = .clockSkewed
        case "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure":
            let isTimely = !message.contains("not yet current") && !message.contains("expired")
            self = isTimely ? .credentials : .clockSkewed
        case "ExpiredIteratorException": self = .expiredIterator
        case "TrimmedDataAccessException": self = .trimmed
        case "ResourceNotFoundException": self = .notFound
        case "ResourceInUseException": self = .inUse
        // As the service answers to who enables what is enabled; the API Reference has ResourceInUseException for it.
        case "ValidationException" where message.contains("already has an enabled stream"): self = .inUse
        case "AccessDeniedException", "AccessDenied", "NotAuthorized", "UnauthorizedOperation": self = .denied
        default:
            self = status >= 500 && status != 501 ? .transient : .permanent
        }
    }

    /// Whether a service that answers so may have done what it was asked all the same, or may do it yet.
    ///
    /// Source: Developer Guide, "Error handling": of a write that ends in a 5xx one can't know.
    static func leavesOutcomeUnknown(code: String, status: Int) -> Bool {
        switch code {
        case "408", "RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete",
            "TransactionInProgressException":
            true
        // Damaged on its way: whatever it said.
        case "400": true
        default: status >= 500 && status != 501
        }
    }

    /// Whether the same call may go through in a while.
    var isRetryable: Bool { self == .throttled || self == .transient }
}
