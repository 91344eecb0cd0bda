extension Simulator {
    func describeTable(_ body: String) -> Reply {
        guard let table = table(named: JSONText.member("TableName", of: body)) else { return Self.noTable }
        let sort = table.definition.hasSortKey
        let keys =
            #"{"AttributeName":"id","KeyType":"HASH"}"# + (sort ? #",{"AttributeName":"at","KeyType":"RANGE"}"# : "")
        let types =
            #"{"AttributeName":"id","AttributeType":"S"}"#
            + (sort ? #",{"AttributeName":"at","AttributeType":"N"}"# : "")
        return .ok(
            #"""
            {"Table":{"TableName":"\#(table.definition.name)","TableStatus":"ACTIVE","ItemCount":\#(table.items.count),\#
            "TableSizeBytes":0,"KeySchema":[\#(keys)],"AttributeDefinitions":[\#(types)],\#
            "LatestStreamArn":"\#(table.stream)",\#
            "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}}
            """#)
    }

    /// The items of a segment in the order of their keys, from ExclusiveStartKey on.
    func scan(_ body: String) -> Reply {
        guard let table = table(named: JSONText.member("TableName", of: body)) else { return Self.noTable }
        let segment = UInt64(JSONText.member("Segment", of: body) ?? "") ?? 0
        let total = UInt64(JSONText.member("TotalSegments", of: body) ?? "") ?? 1
        guard total > 0, segment < total else { return .error("ValidationException") }
        let items = table.items.filter { Self.hash($0.key) % total == segment }.sorted { $0.key < $1.key }
        // The key comes back as we gave it.
        let start = body.firstRange(of: #""ExclusiveStartKey":"#)?.upperBound
        let rest = start.map { start in
            Array(items.drop { !body[start...].hasPrefix($0.key) }.dropFirst())
        }
        let page = (rest ?? items).prefix(settings.itemsOfAPage)
        let isLast = page.count == (rest ?? items).count
        let next = isLast ? "" : page.last.map { #","LastEvaluatedKey":\#($0.key)"# } ?? ""
        let json = page.map(\.value.json).joined(separator: ",")
        return .ok(#"{"Count":\#(page.count),"ScannedCount":\#(page.count),"Items":[\#(json)]\#(next)}"#)
    }

    private func table(named name: String?) -> Table? { tables.first { $0.definition.name == name } }

    private static var noTable: Reply { .error("ResourceNotFoundException", "Requested resource not found") }
}
