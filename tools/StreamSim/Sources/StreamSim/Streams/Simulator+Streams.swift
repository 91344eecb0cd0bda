/// The calls of DynamoDB Streams (FACTS 1).
extension Simulator {
    func listStreams(_ body: JSON) throws(ServiceError) -> JSON {
        let name = try body.text("TableName") == nil ? nil : try TableDefinition.name(in: body)
        let limit = try limit(body, atMost: 100)
        let start = try body.text("ExclusiveStartStreamArn").map { arn throws(ServiceError) in
            // What the service says to a stream that never was is not documented.
            guard let ordinal = streams.firstIndex(where: { $0.arn == arn }) else {
                throw .validation("Invalid ExclusiveStartStreamArn: there never was that stream")
            }
            return ordinal + 1
        }
        let found = streams[(start ?? 0)...].filter { !$0.isGone(at: horizon) && (name == nil || $0.table == name) }
        let page = found.prefix(limit)
        var reply: [JSON.Member] = [
            JSON.Member(
                "Streams",
                .array(
                    page.map {
                        [
                            "StreamArn": .string($0.arn), "TableName": .string($0.table),
                            "StreamLabel": .string($0.label),
                        ]
                    }))
        ]
        if page.count < found.count, let last = page.last {
            reply.append(JSON.Member("LastEvaluatedStreamArn", .string(last.arn)))
        }
        return .object(reply)
    }

    /// The shards; new ones late, if the settings say so, and their parents open until then.
    mutating func describeStream(_ body: JSON) throws(ServiceError) -> JSON {
        let stream = streams[try ordinal(ofStream: body)]
        let limit = min(try limit(body, atMost: 100), settings.shardsOfAPage)
        let listing = Listing(of: stream, settings, at: now, &chance)
        for peculiarity in listing.peculiarities { note("listing: \(peculiarity)") }
        var listed = now < stream.activeAt ? [] : listing.shards
        if let filter = try body.object("ShardFilter"), !settings.quirks.contains(.ignoresShardFilter) {
            guard try filter.text("Type") == "CHILD_SHARDS", let parent = try filter.text("ShardId") else {
                throw .validation("ShardFilter: Type must be CHILD_SHARDS, and ShardId is required")
            }
            listed = listed.filter { $0.shard.parent == parent }
        }
        if let last = try body.text("ExclusiveStartShardId") {
            // What the service says to a shard that never was is not documented.
            guard let start = stream.place(of: last, isShuffled: settings.shuffledListings) else {
                throw .validation("Invalid ExclusiveStartShardId: the stream never had that shard")
            }
            // One shard a page would never end.
            let repeats = settings.quirks.contains(.includesExclusiveStart) && limit > 1
            listed = listed.filter { repeats ? $0.place >= start : $0.place > start }
        }
        let page = listed.prefix(limit)
        var description: [JSON.Member] = [
            JSON.Member("StreamArn", .string(stream.arn)), JSON.Member("StreamLabel", .string(stream.label)),
            JSON.Member("StreamStatus", .string(Text(stream.status(at: now)))),
            JSON.Member("StreamViewType", .string(Text(stream.view.rawValue))),
            JSON.Member("CreationRequestDateTime", .number(Text("\(stream.created / 1_000_000)"))),
            JSON.Member("TableName", .string(stream.table)), JSON.Member("KeySchema", stream.schema.json),
            JSON.Member("Shards", .array(page.map(\.json))),
        ]
        if page.count < listed.count, let last = page.last {
            note("listing: goes on on another page")
            description.append(JSON.Member("LastEvaluatedShardId", .string(last.shard.id)))
        }
        return ["StreamDescription": .object(description)]
    }

    mutating func shardIterator(_ body: JSON) throws(ServiceError) -> JSON {
        let stream = try ordinal(ofStream: body)
        guard let id = try body.text("ShardId") else { throw .validation("The parameter 'ShardId' is required") }
        guard let ordinal = streams[stream].ordinal(id), !streams[stream].shards[ordinal].isGone(at: horizon) else {
            throw .noShard
        }
        // What is not listed yet for its stream's sake is not there yet.
        guard now >= streams[stream].activeAt else { throw .noShard }
        let shard = streams[stream].shards[ordinal]
        let number = try body.text("SequenceNumber")
        if let number {
            let isNumber = number.bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (21...40).contains(number.bytes.count), isNumber else {
                throw .validation("Invalid SequenceNumber: it has 21 to 40 digits")
            }
        }
        let place: Int
        switch (try body.text("ShardIteratorType")?.string, number) {
        case ("TRIM_HORIZON", nil): place = shard.trimmed(at: horizon)
        case ("LATEST", nil): place = shard.count
        case ("AT_SEQUENCE_NUMBER", let number?):
            place = shard.place { !SequenceNumbers.isLess($0.sequenceNumber, number) }
        case ("AFTER_SEQUENCE_NUMBER", let number?):
            place = shard.place { SequenceNumbers.isLess(number, $0.sequenceNumber) }
        case ("TRIM_HORIZON", .some), ("LATEST", .some):
            throw .validation("SequenceNumber goes with AT_SEQUENCE_NUMBER and AFTER_SEQUENCE_NUMBER only")
        case ("AT_SEQUENCE_NUMBER", nil), ("AFTER_SEQUENCE_NUMBER", nil):
            throw .validation("ShardIteratorType needs a SequenceNumber")
        default:
            throw .validation(
                "ShardIteratorType must be one of [TRIM_HORIZON, LATEST, AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER]")
        }
        // The number itself must still be there, also where only what comes after it is asked for.
        if let number, let last = shard.lastTrimmed(at: horizon), !SequenceNumbers.isLess(last.sequenceNumber, number) {
            note("iterator: trimmed")
            throw .trimmed
        }
        if settings.quirks.contains(.trimmedOnNewShard), shard.parent != nil, shard.count == 0,
            now - shard.made < 1_000_000
        {
            note("iterator: trimmed on a new shard")
            throw .trimmed
        }
        return ["ShardIterator": .string(Iterator(stream, id, place, generation, issued: now).token)]
    }

    /// Written by hand, since a page may hold a megabyte.
    mutating func records(_ body: JSON) throws(ServiceError) -> [UInt8] {
        guard let iterator = try body.text("ShardIterator").flatMap({ Iterator($0) }),
            streams.indices.contains(iterator.stream)
        else { throw .validation("Invalid ShardIterator") }
        guard iterator.generation == generation, now - iterator.issued <= settings.iteratorLifetime else {
            throw ServiceError(
                code: "ExpiredIteratorException", message: "The iterator has expired: it was issued too long ago",
                status: 400)
        }
        let stream = streams[iterator.stream]
        guard !stream.isGone(at: horizon), let ordinal = stream.ordinal(iterator.shard),
            !stream.shards[ordinal].isGone(at: horizon)
        else { throw .noShard }
        let shard = stream.shards[ordinal]
        // Of another server, with another past.
        guard iterator.place <= shard.count else { throw .validation("Invalid ShardIterator") }
        guard iterator.place >= shard.trimmed(at: horizon) else {
            note("page: trimmed")
            throw .trimmed
        }
        let limit = min(try limit(body, atMost: 1000), settings.recordsOfAPage)
        let page = page(of: shard, from: iterator.place, limit: limit)
        let end = iterator.place + page.count
        let isLast = shard.isClosed && end == shard.count
        if isLast { note("page: the last, with \(page.isEmpty ? "no" : "some") records") }

        var reply: [UInt8] = []
        reply.reserveCapacity(page.reduce(200) { $0 + $1.json.count + 1 })
        let omits = !isLast && settings.quirks.contains(.omitsNextIterator) && page.isEmpty && chance.percent(20)
        if isLast || omits {
            reply += settings.spellsEndAsNull ? #"{"NextShardIterator":null,"Records":["#.utf8 : #"{"Records":["#.utf8
        } else {
            reply += #"{"NextShardIterator":""#.utf8
            reply += Iterator(iterator.stream, iterator.shard, end, generation, issued: now).token.bytes
            reply += #"","Records":["#.utf8
        }
        for record in page {
            if reply.last != UInt8(ascii: "[") { reply.append(UInt8(ascii: ",")) }
            reply += record.json
        }
        reply += "]}".utf8
        return reply
    }

    /// At most a megabyte (API Reference, GetRecords), at least one record where there is one, and less by chance.
    private mutating func page(of shard: Shard, from place: Int, limit: Int) -> ArraySlice<Record> {
        var page = shard.records(from: place, limit: limit)
        var size = page.first?.size ?? 0
        if let tooMuch = page.dropFirst().firstIndex(where: { record in
            size += record.size
            return size > 1 << 20
        }) {
            page = page[..<tooMuch]
        }
        if !page.isEmpty, chance.percent(settings.emptyPages) {
            note("page: empty, with more to come")
            return page.prefix(0)
        }
        if page.count > 1, chance.percent(settings.shortPages) {
            note("page: short")
            return page.prefix(1 + chance.below(page.count - 1))
        }
        return page
    }

    private func ordinal(ofStream body: JSON) throws(ServiceError) -> Int {
        guard let arn = try body.text("StreamArn") else { throw .validation("The parameter 'StreamArn' is required") }
        guard (37...1024).contains(arn.bytes.count) else {
            throw .validation("Invalid StreamArn: it has 37 to 1024 characters")
        }
        guard let ordinal = streams.firstIndex(where: { $0.arn == arn }), !streams[ordinal].isGone(at: horizon) else {
            throw ServiceError(
                code: "ResourceNotFoundException",
                message: "Requested resource not found: Stream: \(arn.string) not found")
        }
        return ordinal
    }

    private func limit(_ body: JSON, atMost most: Int64) throws(ServiceError) -> Int {
        guard let limit = try body.integer("Limit") else { return Int(most) }
        guard (1...most).contains(limit) else { throw .validation("Limit must be between 1 and \(most)") }
        return Int(limit)
    }
}

extension ServiceError {
    fileprivate static let trimmed = ServiceError(
        code: "TrimmedDataAccessException",
        message: "The operation attempted to read past the oldest stream record in a shard", status: 400)
    fileprivate static let noShard = ServiceError(
        code: "ResourceNotFoundException", message: "Requested resource not found: Shard does not exist", status: 400)
}
