extension Simulator {
    /// The shards in the order of their making; new ones late, if the settings say so, and their parents open until then.
    mutating func describeStream(_ body: String, at now: Int64) -> Reply {
        guard let table = table(of: JSONText.member("StreamArn", of: body)) else { return Self.noStream }
        let known = now - settings.listingLag
        let horizon = now - settings.retention
        var listed = table.shards.filter { $0.made <= known && !$0.isGone(at: horizon) }
        if table.shards.contains(where: { $0.isGone(at: horizon) }) {
            coverage["listing: a shard has aged out", default: 0] += 1
        }
        if table.shards.contains(where: { $0.made > known }) {
            coverage["listing: a shard is not listed yet", default: 0] += 1
        }
        if let filter = body.firstRange(of: #""ShardFilter":"#)?.upperBound {
            let parent = JSONText.member("ShardId", of: body[filter...])
            listed = listed.filter { $0.parent == parent }
        }
        if let last = JSONText.member("ExclusiveStartShardId", of: body) {
            listed = Array(listed.drop { $0.id != last }.dropFirst())
        }
        let page = listed.prefix(settings.shardsOfAPage)
        let isLast = page.count == listed.count
        if !isLast { coverage["listing: goes on on another page", default: 0] += 1 }
        let next = isLast ? "" : page.last.map { #","LastEvaluatedShardId":"\#($0.id)""# } ?? ""
        let shards = page.map { Self.json(of: $0, knownAt: known) }.joined(separator: ",")
        return .ok(
            #"""
            {"StreamDescription":{"StreamArn":"\#(table.stream)","StreamStatus":"ENABLED","StreamViewType":"NEW_IMAGE",\#
            "Shards":[\#(shards)]\#(next)}}
            """#)
    }

    private static func json(of shard: Shard, knownAt known: Int64) -> String {
        let isKnownClosed = shard.closed.map { $0 <= known } ?? false
        let ending = isKnownClosed ? shard.ending.map { #","EndingSequenceNumber":"\#($0)""# } ?? "" : ""
        let parent = shard.parent.map { #","ParentShardId":"\#($0)""# } ?? ""
        return #"""
            {"ShardId":"\#(shard.id)","SequenceNumberRange":{"StartingSequenceNumber":"\#(shard.starting)"\#(ending)}\#(parent)}
            """#
    }

    mutating func shardIterator(_ body: String, at now: Int64) -> Reply {
        guard let table = tables.firstIndex(where: { $0.stream == JSONText.member("StreamArn", of: body) }),
            let shard = tables[table].shards.firstIndex(where: { $0.id == JSONText.member("ShardId", of: body) }),
            !tables[table].shards[shard].isGone(at: now - settings.retention)
        else { return Self.noStream }
        let records = tables[table].shards[shard].records
        let trimmed = tables[table].shards[shard].trimmed(at: now - settings.retention)
        let number = JSONText.member("SequenceNumber", of: body)
        let place: Int
        switch (JSONText.member("ShardIteratorType", of: body), number) {
        case ("TRIM_HORIZON", nil): place = trimmed
        case ("LATEST", nil): place = records.count
        case ("AT_SEQUENCE_NUMBER", let number?):
            place = records.firstIndex { !Self.isLess($0.sequenceNumber, number) } ?? records.count
        case ("AFTER_SEQUENCE_NUMBER", let number?):
            place = records.firstIndex { Self.isLess(number, $0.sequenceNumber) } ?? records.count
        default: return .error("ValidationException")
        }
        // The number itself must still be there, also where only what comes after it is asked for.
        if let number, records.prefix(trimmed).contains(where: { !Self.isLess($0.sequenceNumber, number) }) {
            coverage["iterator: trimmed", default: 0] += 1
            return Self.trimmedData
        }
        return .ok(#"{"ShardIterator":"\#(Iterator(table, shard, place, generation, issued: now).token)"}"#)
    }

    mutating func records(_ body: String, at now: Int64) -> Reply {
        guard let iterator = JSONText.member("ShardIterator", of: body).flatMap({ Iterator($0) }),
            tables.indices.contains(iterator.table), tables[iterator.table].shards.indices.contains(iterator.shard)
        else { return .error("ValidationException", "Invalid ShardIterator") }
        guard iterator.generation == generation, now - iterator.issued <= settings.iteratorLifetime else {
            return .error("ExpiredIteratorException", "Iterator expired")
        }
        let shard = tables[iterator.table].shards[iterator.shard]
        guard !shard.isGone(at: now - settings.retention) else { return Self.noStream }
        guard iterator.place >= shard.trimmed(at: now - settings.retention) else {
            coverage["page: trimmed", default: 0] += 1
            return Self.trimmedData
        }
        let limit = min(Int(JSONText.member("Limit", of: body) ?? "") ?? 1000, settings.recordsOfAPage)
        var page = shard.records[iterator.place...].prefix(limit)
        if !page.isEmpty, chance.percent(settings.emptyPages) {
            coverage["page: empty, with more to come", default: 0] += 1
            page = page.prefix(0)
        }
        let end = iterator.place + page.count
        let isLast = shard.isClosed && end == shard.records.count
        if isLast { coverage["page: the last, with \(page.isEmpty ? "no" : "some") records", default: 0] += 1 }
        let next = Iterator(iterator.table, iterator.shard, end, generation, issued: now).token
        let pointer =
            !isLast
            ? #""NextShardIterator":"\#(next)","# : settings.spellsEndAsNull ? #""NextShardIterator":null,"# : ""
        let json = page.map { String(decoding: $0.json, as: UTF8.self) }.joined(separator: ",")
        return .ok(#"{\#(pointer)"Records":[\#(json)]}"#)
    }

    private func table(of stream: String?) -> Table? { tables.first { $0.stream == stream } }

    private static var trimmedData: Reply {
        .error("TrimmedDataAccessException", "The operation attempted to read past the oldest stream record in a shard")
    }

    private static var noStream: Reply { .error("ResourceNotFoundException", "Requested resource not found") }

    /// As numbers: more digits are more (FACTS 1.8).
    private static func isLess(_ a: String, _ b: String) -> Bool { (a.utf8.count, a) < (b.utf8.count, b) }
}
