/// The writes that are done together or not at all (FACTS 2.5; API Reference, TransactWriteItems).
extension Simulator {
    /// Ten minutes, from its first completion.
    private static let tokenLifetime: Int64 = 600 * 1_000_000
    /// Of all its items together.
    private static let largestTransaction = 4 << 20

    mutating func transactWriteItems(_ body: JSON) throws(ServiceError) -> JSON {
        let elements = try body.elements("TransactItems") ?? []
        guard (1...100).contains(elements.count) else {
            let bound = elements.isEmpty ? "greater than or equal to 1" : "less than or equal to 100"
            throw .validation(
                "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have "
                    + "length \(bound)")
        }
        let isCounted = try Self.wantsCapacity(body)
        _ = try body.choice("ReturnItemCollectionMetrics", of: ["NONE", "SIZE"])
        let token = try body.text("ClientRequestToken")
        guard token.map({ (1...36).contains($0.bytes.count) }) ?? true else {
            throw .validation(
                "1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint: Member must "
                    + "have length between 1 and 36")
        }
        var actions: [TransactAction] = []
        var keys: [Text: Set<ItemKey>] = [:]
        for element in elements {
            let action = try TransactAction(element) { name throws(ServiceError) in try activeTable(name) }
            actions.append(action)
            guard case .success(let key) = action.key else { continue }
            guard keys[action.table.name, default: []].insert(key).inserted else {
                throw .validation("Transaction request cannot include multiple operations on one item")
            }
        }
        if let token, let done = try completed(token, body, actions, isCounted) { return done }
        let results = try judged(actions)
        for (action, result) in zip(actions, results) {
            if case .check = action.effect { continue }
            change(result.key, to: result.after, of: action.table.name)
        }
        if let token { transactions[token] = CompletedTransaction(content: body.content, completed: now) }
        note("transaction: done")
        return isCounted ? Self.consumed(actions, results.map { $0.after?.size ?? 0 }) : [:]
    }

    /// The answer to a transaction that was done already; `nil`: it was not.
    private mutating func completed(
        _ token: Text, _ body: JSON, _ actions: [TransactAction], _ isCounted: Bool
    ) throws(ServiceError) -> JSON? {
        transactions = transactions.filter { now - $0.value.completed < Self.tokenLifetime }
        guard let known = transactions[token] else { return nil }
        guard known.content == body.content else {
            throw ServiceError(
                code: "IdempotentParameterMismatchException",
                message: "The request uses the same client token as a previous, but non-identical request")
        }
        note("transaction: was done already")
        return isCounted ? Self.consumed(actions, actions.map(\.keyItem.size)) : [:]
    }

    private func judged(
        _ actions: [TransactAction]
    ) throws(ServiceError) -> [(key: ItemKey, after: Attributes?)] {
        var reasons: [CancellationReason] = []
        var results: [(key: ItemKey, after: Attributes?)] = []
        var size = 0
        for action in actions {
            do throws(CancellationReason) {
                guard !settings.throttledTables.contains(action.table.name) else {
                    throw CancellationReason.throughputExceeded
                }
                let result = try action.result()
                results.append(result)
                reasons.append(.none)
                size += result.after?.size ?? result.key.attributes.size
            } catch {
                reasons.append(error)
            }
        }
        guard results.count == actions.count else { throw .cancelled(reasons) }
        guard size <= Self.largestTransaction else {
            throw .validation("The aggregate size of the items in the transaction exceeds 4 MB")
        }
        return results
    }

    /// What another one in progress does to this call: the first item is in use.
    func conflict(of request: Request) -> Reply? {
        guard request.action == "TransactWriteItems",
            let body = try? JSON(parsing: request.body), let elements = body["TransactItems"]?.elements,
            !elements.isEmpty
        else { return nil }
        return .error(.cancelled([.conflict] + elements.dropFirst().map { _ in .none }))
    }

    /// Twice of what a plain write takes (DG Transactions).
    private static func consumed(_ actions: [TransactAction], _ sizes: [Int]) -> JSON {
        var units: [Text: Double] = [:]
        for (action, size) in zip(actions, sizes) {
            units[action.table.name, default: 0] += Double(2 * max(1, (size + 1023) / 1024))
        }
        let list = units.sorted { $0.key < $1.key }.map { capacity(of: $0.key, $0.value) }
        return ["ConsumedCapacity": .array(list)]
    }
}

/// A transaction whose token is still known.
struct CompletedTransaction: Sendable {
    let content: JSON
    let completed: Int64
}

extension JSON {
    /// What must be the same when a token is: all but the token itself, with members in no order.
    fileprivate var content: JSON {
        guard let members else { return self }
        return JSON.object(members.filter { $0.name != "ClientRequestToken" }).ordered
    }

    private var ordered: JSON {
        switch self {
        case .object(let members):
            .object(members.map { Member($0.name, $0.value.ordered) }.sorted { $0.name < $1.name })
        case .array(let elements): .array(elements.map(\.ordered))
        case .null, .bool, .number, .string: self
        }
    }
}
