/// The scan of a table (FACTS 2.3; API Reference, Scan).
extension Simulator {
    /// A page's bytes, counted before the filter.
    private static let largestPage = 1 << 20

    /// Written by hand, since a page may hold a megabyte.
    mutating func scan(_ body: JSON) throws(ServiceError) -> [UInt8] {
        let table = try dataTable(in: body)
        guard body["IndexName"] == nil else {
            throw .validation("The table does not have the specified index: \(body["IndexName"]?.text?.string ?? "")")
        }
        let placements = try Self.placements(body)
        let start = try body["ExclusiveStartKey"].map { json throws(ServiceError) in
            let key = try table.schema.key(alone: try item(in: json, "ExclusiveStartKey"))
            guard placements.contains(key.placement) else {
                throw .validation("The provided starting key is invalid: it is none of this segment")
            }
            return key
        }
        var placeholders = try Placeholders(
            names: body["ExpressionAttributeNames"], values: body["ExpressionAttributeValues"])
        let filter = try body["FilterExpression"]?.text.map { text throws(ServiceError) in
            try Condition(text, &placeholders, as: "FilterExpression")
        }
        let projection = try body["ProjectionExpression"]?.text.map { text throws(ServiceError) in
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
        return Self.page(found, body, scanned, last, consumed(body, table.name, units: readUnits(of: size, body)))
    }

    private static func page(
        _ items: [Attributes], _ body: JSON, _ scanned: Int, _ last: ItemKey?, _ consumed: [JSON.Member]
    ) -> [UInt8] {
        var page = Array(#"{"Count":\#(items.count),"ScannedCount":\#(scanned)"#.utf8)
        if let last {
            page += #","LastEvaluatedKey":"#.utf8
            page += last.bytes
        }
        for member in consumed {
            page.append(UInt8(ascii: ","))
            JSON.string(member.name).write(into: &page)
            page.append(UInt8(ascii: ":"))
            member.value.write(into: &page)
        }
        if body["Select"]?.text != "COUNT" {
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
        guard let limit = body["Limit"] else { return settings.itemsOfAPage }
        guard let number = limit.integer, number >= 1 else { throw .validation("Limit must be 1 at least") }
        return min(Int(number), settings.itemsOfAPage)
    }

    /// Which hashes a segment consists of.
    private static func placements(_ body: JSON) throws(ServiceError) -> ClosedRange<UInt64> {
        switch (body["Segment"]?.integer, body["TotalSegments"]?.integer) {
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
