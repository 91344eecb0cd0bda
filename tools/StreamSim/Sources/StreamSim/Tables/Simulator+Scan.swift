/// The scan of a table (FACTS 2.3; API Reference, Scan).
extension Simulator {
    /// A page's bytes, counted before the filter.
    private static let largestPage = 1 << 20

    /// Written by hand, since a page may hold a megabyte.
    mutating func scan(_ body: JSON) throws(ServiceError) -> [UInt8] {
        let table = try dataTable(in: body)
        if let index = try body.text("IndexName") {
            throw .validation("The table does not have the specified index: \(index)")
        }
        let isCount = try Self.select(body) == "COUNT"
        let isConsistent = try body.flag("ConsistentRead") ?? false
        let isCounted = try Self.wantsCapacity(body)
        let placements = try Self.placements(body)
        let start = try body.object("ExclusiveStartKey").map { json throws(ServiceError) in
            let key = try table.schema.key(alone: try item(in: json, "ExclusiveStartKey"))
            guard placements.contains(key.placement) else {
                throw .validation("The provided starting key is invalid: it is none of this segment")
            }
            return key
        }
        var placeholders = try Placeholders(
            names: body["ExpressionAttributeNames"], values: body["ExpressionAttributeValues"])
        let filter = try body.text("FilterExpression").map { text throws(ServiceError) in
            try Condition(text, &placeholders, as: "FilterExpression")
        }
        let projection = try body.text("ProjectionExpression").map { text throws(ServiceError) in
            try Projection(text, &placeholders)
        }
        try placeholders.checkAllUsed()

        let limit = try limit(body)
        let keys = table.items.keys(in: placements, after: start, limit: limit)
        var (scanned, size) = (0, 0)
        var found: [Attributes] = []
        for key in keys {
            guard let item = table.items[key] else { continue }
            guard scanned == 0 || size + item.size <= Self.largestPage else { break }
            (scanned, size) = (scanned + 1, size + item.size)
            if try filter?.holds(for: item) ?? true { found.append(projection?.applied(to: item) ?? item) }
        }
        // A page that was filled tells of a next one, which may be empty, as the service does.
        let isFull = scanned < keys.count || keys.count == limit
        let last = isFull && scanned > 0 ? keys[scanned - 1] : nil
        if last != nil { note("scan: goes on on another page") }
        let consumed = Self.consumed(table.name, Self.readUnits(of: size, isConsistent: isConsistent))
        return Self.page(found, isCount: isCount, scanned, last, isCounted ? consumed : nil)
    }

    private static func page(
        _ items: [Attributes], isCount: Bool, _ scanned: Int, _ last: ItemKey?, _ consumed: JSON.Member?
    ) -> [UInt8] {
        var page = Array(#"{"Count":\#(items.count),"ScannedCount":\#(scanned)"#.utf8)
        if let last {
            page += #","LastEvaluatedKey":"#.utf8
            page += last.bytes
        }
        if let consumed {
            page.append(UInt8(ascii: ","))
            JSON.string(consumed.name).write(into: &page)
            page.append(UInt8(ascii: ":"))
            consumed.value.write(into: &page)
        }
        if !isCount {
            page += #","Items":["#.utf8
            for item in items {
                if page.last != UInt8(ascii: "[") { page.append(UInt8(ascii: ",")) }
                item.write(into: &page)
            }
            page.append(UInt8(ascii: "]"))
        }
        page.append(UInt8(ascii: "}"))
        return page
    }

    private func limit(_ body: JSON) throws(ServiceError) -> Int {
        guard let limit = try body.integer("Limit") else { return settings.itemsOfAPage }
        guard limit >= 1 else { throw .validation("Limit must be 1 at least") }
        return min(Int(limit), settings.itemsOfAPage)
    }

    /// With a ProjectionExpression it can be SPECIFIC_ATTRIBUTES only (API Reference, Scan).
    private static func select(_ body: JSON) throws(ServiceError) -> Text {
        let isProjected = try body.text("ProjectionExpression") != nil
        guard try body.text("Select") != nil else { return "ALL_ATTRIBUTES" }
        let select = try body.choice(
            "Select", of: ["ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "COUNT", "SPECIFIC_ATTRIBUTES"])
        guard select != "ALL_PROJECTED_ATTRIBUTES" else {
            throw .validation("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
        }
        guard (select == "SPECIFIC_ATTRIBUTES") == isProjected else {
            throw .validation("SPECIFIC_ATTRIBUTES and a ProjectionExpression go together")
        }
        return select
    }

    /// Which hashes a segment consists of.
    private static func placements(_ body: JSON) throws(ServiceError) -> ClosedRange<UInt64> {
        switch (try body.integer("Segment"), try body.integer("TotalSegments")) {
        case (nil, nil): return 0...UInt64.max
        case (let segment?, let total?):
            guard (1...1_000_000).contains(total) else {
                throw .validation("TotalSegments must be between 1 and 1000000")
            }
            guard (0..<total).contains(segment) else {
                throw .validation(
                    "The Segment parameter is zero-indexed and must be less than parameter TotalSegments: Segment: "
                        + "\(segment), TotalSegments: \(total)")
            }
            let width = UInt64.max / UInt64(total)
            let first = UInt64(segment) * width
            return first...(segment + 1 == total ? UInt64.max : first + width - 1)
        default: throw .validation("Segment and TotalSegments go together")
        }
    }
}
