/// One action of TransactWriteItems, read and not yet judged.
struct TransactAction: Sendable {
    enum Effect: Sendable {
        case put(Attributes)
        case update(UpdateExpression)
        case delete
        case check
    }

    let table: Table
    /// A key that does not fit the table cancels the transaction, and is no error of its form.
    let key: Result<ItemKey, ServiceError>
    let keyItem: Attributes
    let effect: Effect
    let condition: Condition?
    let itemOnFailure: Bool

    /// - Parameter json: `{"Put": {…}}`, or another of the four.
    /// - Throws: what refuses the call, whatever the items are.
    init(_ json: JSON, _ table: (Text) throws(ServiceError) -> Table) throws(ServiceError) {
        guard let member = (json.members ?? []).first(where: { !$0.value.isNull }),
            json.members?.count(where: { !$0.value.isNull }) == 1
        else { throw .validation("TransactItems can only contain one of Check, Put, Update or Delete") }
        let body: JSON = .object(try json.members(member.name) ?? [])
        let found = try table(try TableDefinition.name(in: body))
        var placeholders = try Placeholders(
            names: body["ExpressionAttributeNames"], values: body["ExpressionAttributeValues"])
        let isPut = member.name == "Put"
        let parameter: Text = isPut ? "Item" : "Key"
        guard let wire = body[parameter], !wire.isNull else {
            throw .validation("The parameter '\(parameter)' is required but was not present")
        }
        let item = try Attributes(wire)
        switch member.name {
        case "Put": effect = .put(item)
        case "Delete": effect = .delete
        case "ConditionCheck": effect = .check
        case "Update":
            guard let text = try body.text("UpdateExpression") else {
                throw .validation("The parameter 'UpdateExpression' is required but was not present")
            }
            effect = .update(try UpdateExpression(text, &placeholders))
        default: throw .validation("TransactItems: \(member.name) is none of ConditionCheck, Put, Update and Delete")
        }
        condition = try body.text("ConditionExpression").map { text throws(ServiceError) in
            try Condition(text, &placeholders)
        }
        guard condition != nil || member.name != "ConditionCheck" else {
            throw .validation("The parameter 'ConditionExpression' is required but was not present")
        }
        try placeholders.checkAllUsed()
        itemOnFailure = try body.choice("ReturnValuesOnConditionCheckFailure", of: ["NONE", "ALL_OLD"]) == "ALL_OLD"
        self.table = found
        keyItem = item
        let effect = effect
        key = Result { () throws(ServiceError) in
            if case .update(let update) = effect { try found.checkKeyIsUntouched(by: update) }
            return isPut ? try found.key(of: item) : try found.schema.key(alone: item)
        }
    }

    /// What it would leave of the item; `nil`: none.
    ///
    /// - Throws: why it cancels the transaction.
    func result() throws(CancellationReason) -> (key: ItemKey, after: Attributes?) {
        let outcome: (key: ItemKey, after: Attributes?)?
        do throws(ServiceError) {
            let key = try key.get()
            let before = table.items[key]
            if try condition?.holds(for: before ?? Attributes()) ?? true {
                outcome = (key, try after(before))
            } else {
                outcome = nil
            }
        } catch {
            throw .invalid(error)
        }
        if let outcome { return outcome }
        throw .conditionFailed(itemOnFailure ? (try? key.get()).flatMap { table.items[$0] } : nil)
    }

    private func after(_ before: Attributes?) throws(ServiceError) -> Attributes? {
        let after: Attributes?
        switch effect {
        case .put(let item): after = item
        case .update(let update):
            let updated = try update.applied(to: before ?? keyItem, isNew: before == nil)
            _ = try table.key(of: updated)
            after = updated
        case .delete: after = nil
        case .check: after = before
        }
        guard after?.size ?? 0 <= Simulator.largestItem else { throw .tooLarge }
        return after
    }
}
