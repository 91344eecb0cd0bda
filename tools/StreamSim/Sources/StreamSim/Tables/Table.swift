struct Table: Sendable {
    let name: Text
    /// Another one of the same name has another.
    let id: Text
    let schema: KeySchema
    let created: Int64
    let activeAt: Int64
    let isProvisioned: Bool
    let capacity: (read: Int64, write: Int64)
    let indexes: [SecondaryIndex]
    var tags: [Tag]
    /// Ordinal of the stream that is switched on now, or was last.
    var stream: Int?
    /// The attribute that says when an item expires, where there is one.
    var timeToLive: Text?
    /// Until when UpdateTable's last change of it is under way.
    var changingUntil: Int64 = 0
    var items = ItemStore()

    /// The key of an item that the table is to hold.
    func key(of item: Attributes) throws(ServiceError) -> ItemKey {
        let key = try schema.key(of: item)
        for index in indexes { try index.check(item) }
        return key
    }

    func checkKeyIsUntouched(by update: UpdateExpression) throws(ServiceError) {
        for attribute in schema.attributes where update.touched.contains(attribute.name) {
            throw .validation(
                "One or more parameter values were invalid: Cannot update attribute \(attribute.name.string). This "
                    + "attribute is part of the key")
        }
    }

    var arn: Text { Text("arn:aws:dynamodb:us-east-1:000000000000:table/\(name.string)") }
    func isActive(at now: Int64) -> Bool { now >= activeAt }
    func isChanging(at now: Int64) -> Bool { now < changingUntil }
    func status(at now: Int64) -> Text { !isActive(at: now) ? "CREATING" : isChanging(at: now) ? "UPDATING" : "ACTIVE" }
}
