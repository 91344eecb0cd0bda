internal import DynamoDB
internal import Targets

/// What follows from what the service says to a write, by its code (API Reference, BatchWriteItem and TransactWriteItems, "Errors").
enum Consequence: Hashable, Sendable {
    /// It is to be made again, more slowly.
    case slower
    /// It may pass by itself.
    case retry
    /// One record can't be written: the others go on.
    case refuseRecord
    /// An operator must act, as the text says.
    case stop(String)

    init(_ error: DynamoDBError) {
        let reasons = (error.cancellationReasons ?? []).compactMap { Self(reason: $0) }
        if error.isThrottle {
            self = .slower
        } else if let worst = reasons.first(where: { $0 != .slower }) {
            self = worst
        } else if let known = Self.exact[error.code] {
            self = known
        } else if error.isRetryable || error.isCancelled {
            self = .retry
        } else {
            self = .stop("this is not expected")
        }
    }

    /// Why one of a transaction's writes was in the way (API Reference, TransactionCanceledException); `nil` where it was not.
    init?(reason: String) {
        switch reason {
        case "None": return nil
        case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded",
            "DuplicateItem":
            self = .slower
        case "ValidationError", "ItemCollectionSizeLimitExceeded": self = .refuseRecord
        case "AccessDenied": self = .stop("allow the write to these credentials")
        default: self = .slower
        }
    }

    private static let exact: [String: Consequence] = [
        "ValidationException": .refuseRecord,
        "ItemCollectionSizeLimitExceededException": .refuseRecord,
        // More than fits into a call, or an item that is none of the endpoint's.
        "RequestEntityTooLargeException": .refuseRecord, "413": .refuseRecord, "SerializationException": .refuseRecord,
        "TransactionConflictException": .slower,
        // Cancelled without a word why: whatever was in the way may be gone.
        "TransactionCanceledException": .slower,
        "ResourceNotFoundException": .stop(
            "the table was dropped, or it is another region or endpoint: make it again, or start again with create=true"
        ),
        "ResourceInUseException": .stop("the table is being changed: look at it"),
        // The client's own text says which action is missing.
        "AccessDeniedException": .stop(""),
        "UnrecognizedClientException": .stop(
            "the service doesn't know this access key: check it, and that it is of this account and region"),
        "InvalidSignatureException": .stop("the secret access key is wrong, or the endpoint is another region's"),
        "ExpiredTokenException": .stop("get new credentials, or name a role, which is assumed anew by itself"),
        "UnknownOperationException": .stop(
            "the endpoint doesn't know this call; transactions are asked for by guard=transaction only"),
        "IdempotentParameterMismatchException": .retry,
    ]
}

extension TargetError {
    /// As an operator reads it. A record that is refused is named by who knows it.
    init(_ error: DynamoDBError, target: String, during operation: String) {
        switch Consequence(error) {
        case .retry, .slower: self = .unavailable(target: target, reason: "\(operation): \(error)")
        case .refuseRecord: self = .misconfigured(target: target, reason: "\(operation): \(error)")
        case .stop(let advice):
            self = .misconfigured(
                target: target, reason: "\(operation): \(error)" + (advice.isEmpty ? "" : ": \(advice)"))
        }
    }
}
