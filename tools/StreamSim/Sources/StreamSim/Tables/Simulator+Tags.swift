/// The calls about tags (API Reference: TagResource, UntagResource, ListTagsOfResource).
extension Simulator {
    /// Nobody says how many the service gives; a client must go on at any number.
    private static let tagsOfAPage = 10

    mutating func tagResource(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try taggedTable(in: body)
        let added = try Tag.list(in: body)
        guard !added.isEmpty else { throw .validation("Tags: at least one is required") }
        let tags = table.tags.filter { old in !added.contains { $0.key == old.key } } + added
        try Tag.check(tags)
        tables[table.name]?.tags = tags
        return [:]
    }

    mutating func untagResource(_ body: JSON) throws(ServiceError) -> JSON {
        let table = try taggedTable(in: body)
        guard let keys = try body.elements("TagKeys"), !keys.isEmpty else {
            throw .validation("TagKeys: at least one is required")
        }
        tables[table.name]?.tags = table.tags.filter { !keys.contains(.string($0.key)) }
        return [:]
    }

    func listTagsOfResource(_ body: JSON) throws(ServiceError) -> JSON {
        let tags = try taggedTable(in: body).tags
        var first = 0
        if let token = try body.text("NextToken") {
            guard let place = Int(token.string), tags.indices.contains(place) else {
                throw .validation("Invalid NextToken: \(token)")
            }
            first = place
        }
        let page = tags[first...].prefix(Self.tagsOfAPage)
        var reply = [JSON.Member("Tags", .array(page.map(\.json)))]
        if page.endIndex < tags.endIndex { reply.append(JSON.Member("NextToken", .string("\(page.endIndex)"))) }
        return .object(reply)
    }

    private func taggedTable(in body: JSON) throws(ServiceError) -> Table {
        guard let arn = try body.text("ResourceArn") else {
            throw .validation("The parameter 'ResourceArn' is required but was not present in the request")
        }
        guard arn.string.hasPrefix("arn:aws:dynamodb:") else {
            throw .validation("Invalid TableArn: Invalid ResourceArn provided as input \(arn)")
        }
        guard let table = tables.values.first(where: { $0.arn == arn }) else {
            throw ServiceError(
                code: "ResourceNotFoundException", message: "Requested resource not found: ResourcArn: \(arn) not found")
        }
        return table
    }
}
