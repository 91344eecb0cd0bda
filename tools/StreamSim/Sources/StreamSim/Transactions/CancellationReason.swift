/// What one action of a transaction did to the whole of it (API Reference, TransactionCanceledException).
package struct CancellationReason: Error, Hashable, Sendable {
    package let code: Text
    package var message: Text?
    /// The item that failed a condition, for who has asked for it.
    package var item: Attributes?

    /// Of an action that was not to blame.
    static let none = CancellationReason(code: "None")
    static let conflict = CancellationReason(
        code: "TransactionConflict", message: "Transaction is ongoing for the item")
    static let throughputExceeded = CancellationReason(
        code: "ProvisionedThroughputExceeded", message: Text(ServiceError.throughputExceeded.message))

    static func invalid(_ error: ServiceError) -> CancellationReason {
        CancellationReason(code: "ValidationError", message: Text(error.message))
    }

    static func conditionFailed(_ item: Attributes?) -> CancellationReason {
        CancellationReason(
            code: "ConditionalCheckFailed", message: "The conditional request failed", item: item)
    }

    var json: JSON {
        var members = [JSON.Member("Code", .string(code))]
        if let item { members.append(JSON.Member("Item", item.json)) }
        if let message { members.append(JSON.Member("Message", .string(message))) }
        return .object(members)
    }
}

extension ServiceError {
    /// - Parameter reasons: one for each action, in their order.
    static func cancelled(_ reasons: [CancellationReason]) -> ServiceError {
        let codes = reasons.map(\.code.string).joined(separator: ", ")
        var error = ServiceError(
            code: "TransactionCanceledException",
            message: "Transaction cancelled, please refer cancellation reasons for specific reasons [\(codes)]")
        error.reasons = reasons
        return error
    }

    /// The service's model has `Message` for these, and `message` for all others.
    var spellsMessageLarge: Bool {
        [
            "TransactionCanceledException", "TransactionInProgressException", "IdempotentParameterMismatchException",
        ].contains(code)
    }
}
