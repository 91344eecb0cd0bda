/// What the service answers to a call that it refuses.
package struct ServiceError: Error, Hashable, Sendable {
    /// As clients see it, without its namespace.
    package let code: String
    package let message: String
    /// Of HTTP.
    package let status: Int
    /// What the item is that failed a condition, for who has asked for it.
    package var item: Attributes?
    /// Why a transaction was cancelled, for each of its actions.
    package var reasons: [CancellationReason] = []

    package init(code: String, message: String, status: Int = 400) {
        self.code = code
        self.message = message
        self.status = status
    }

    package static func validation(_ message: String) -> ServiceError {
        ServiceError(code: "ValidationException", message: message)
    }

    /// With the words that most complaints about a value begin with.
    static func invalid(_ message: String) -> ServiceError {
        .validation("One or more parameter values were invalid: " + message)
    }

    /// A value of another JSON type than the API's.
    package static func serialization(_ message: String) -> ServiceError {
        ServiceError(code: "SerializationException", message: message)
    }
}

extension ServiceError: CustomStringConvertible {
    package var description: String { "\(code): \(message)" }
}
