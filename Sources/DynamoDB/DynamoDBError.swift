/// Why a call of the source has no answer, after the retries that were worth making.
package enum DynamoDBError: Error, Hashable, Sendable {
    /// The service says no.
    ///
    /// - code: without namespace, or the HTTP status where the reply names none.
    /// - object: the table, stream or shard that was asked for.
    case service(
        code: String, message: String, status: Int, operation: String, object: String, requestID: String?)
    /// Nothing, or only half an answer, came from `endpoint`.
    case unreachable(endpoint: String, operation: String, reason: String)
    /// An answer came that isn't one to this question.
    case badReply(operation: String, object: String, why: String)
    /// There are no credentials, or not such as can be used.
    case credentials(String)
    /// Where they come from gave no answer, or none that can be used now.
    case credentialsUnavailable(String)
    /// Region, endpoint, profile or files are set in a way that can't work.
    case configuration(String)
    /// A file may not be read.
    case notPermitted(String)
    /// The task was cancelled, or the client shut down.
    case cancelled
}

extension DynamoDBError {
    /// As the service spells it, or a name of ours for an error that isn't the service's.
    package var code: String {
        switch self {
        case .service(let code, _, _, _, _, _): code
        case .unreachable: "SourceUnreachable"
        case .badReply: "BadReply"
        case .credentials: "NoCredentials"
        case .credentialsUnavailable: "CredentialsUnavailable"
        case .configuration: "Misconfigured"
        case .notPermitted: "NotPermitted"
        case .cancelled: "Cancelled"
        }
    }

    private var errorClass: ErrorClass? {
        guard case .service(let code, let message, let status, _, _, _) = self else { return nil }
        return ErrorClass(code: code, message: message, status: status)
    }

    /// The iterator is older than 15 minutes: get one after the last sequence number that was handled.
    package var isExpiredIterator: Bool { errorClass == .expiredIterator }
    /// The records asked for have left the stream: they are gone.
    package var isTrimmed: Bool { errorClass == .trimmed }
    /// The table, stream or shard isn't there (any more).
    package var isNotFound: Bool { errorClass == .notFound }
    /// The table is being changed, or is already as it was asked to be: look at it again.
    package var isInUse: Bool { errorClass == .inUse }
    /// A policy doesn't allow it.
    package var isDenied: Bool { errorClass == .denied }
    package var isThrottle: Bool { errorClass == .throttled }
    package var isCancelled: Bool { self == .cancelled }

    /// Whether the same call may go through later. The client's own retries have been made by then.
    package var isRetryable: Bool {
        switch self {
        case .service: errorClass?.isRetryable ?? false
        case .unreachable, .badReply, .credentialsUnavailable: true
        case .credentials, .configuration, .notPermitted, .cancelled: false
        }
    }

    /// The exit code of a command that fails by it: 69 unavailable, 75 try again, 77 not permitted, 78 configuration.
    package var exitCode: Int32 {
        switch self {
        case .service:
            switch errorClass {
            case .credentials, .denied: 77
            case .clockSkewed: 78
            default: 69
            }
        case .unreachable, .badReply, .credentialsUnavailable: 69
        case .credentials, .configuration: 78
        case .notPermitted: 77
        case .cancelled: 75
        }
    }
}

extension DynamoDBError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .service(let code, let message, let status, let operation, let object, let requestID):
            let request = requestID.map { ", request \($0)" } ?? ""
            let said = message.isEmpty ? "" : ": \(message)"
            return "\(operation) of \(object): \(code) (HTTP \(status)\(request))\(said)\(advice(operation))"
        case .unreachable(let endpoint, let operation, let reason):
            return
                """
                \(operation): no answer from \(endpoint): \(reason): check that it runs, and the endpoint, proxy and \
                network settings
                """
        case .badReply(let operation, let object, let why):
            return "\(operation) of \(object): the reply can't be used: \(why): is the endpoint really DynamoDB's?"
        case .credentials(let text), .credentialsUnavailable(let text), .configuration(let text),
            .notPermitted(let text):
            return text
        case .cancelled:
            return "cancelled"
        }
    }

    private func advice(_ operation: String) -> String {
        switch errorClass {
        case .denied where operation == RoleRequest.operation:
            "; allow sts:AssumeRole on it to the credentials that are to assume it, and trust them in the role's policy"
        case .denied where operation == RoleRequest.webIdentityOperation:
            "; let the role's policy trust the token's issuer, its audience and its subject (sts:AssumeRoleWithWebIdentity)"
        case .credentials where operation == RoleRequest.webIdentityOperation:
            "; the web identity token has expired: whatever writes its file must write it anew"
        case .denied: "; allow dynamodb:\(operation) on it to these credentials"
        case .credentials: "; check the access key, and that a session token has not expired"
        case .clockSkewed: "; set this machine's clock right"
        case .expiredIterator: "; an iterator is good for 15 minutes: get another"
        case .trimmed: "; a stream keeps 24 hours"
        case .notFound: "; check name, region and endpoint"
        case .throttled: "; asked too fast, and again in vain"
        case .transient: "; tried again in vain"
        case .inUse, .permanent, nil: ""
        }
    }
}
