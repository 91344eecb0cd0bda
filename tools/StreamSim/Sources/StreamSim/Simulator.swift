/// DynamoDB and its streams, as far as FACTS 1 describes them and a replicator asks: a value without a clock of its own.
///
/// The same seed, and the same calls at the same times, give the same answers.
package struct Simulator: Sendable {
    package var settings: Settings
    /// How often each fault and each of the service's peculiarities came up.
    package internal(set) var coverage: [String: Int] = [:]
    var tables: [Table] = []
    var chance: Chance
    /// Iterators of an earlier generation are dead.
    var generation = 0
    private var lastNumber = 0
    private var shardsMade = 0

    package init(seed: UInt64, settings: Settings = Settings()) {
        chance = Chance(seed: seed)
        self.settings = settings
    }

    /// - Parameter now: in microseconds since 1970; never goes back.
    package mutating func answer(_ request: Request, at now: Int64) -> Reply {
        let fault: Fault? =
            chance.percent(settings.faults) ? Fault.allCases[chance.below(Fault.allCases.count)] : nil
        if let fault { coverage["fault: \(fault.rawValue)", default: 0] += 1 }
        let reply = fault?.comesBefore == true ? Reply.ok("{}") : effect(of: request, at: now)
        return fault?.applied(to: reply, chance: &chance) ?? reply
    }

    private mutating func effect(of request: Request, at now: Int64) -> Reply {
        let body = String(decoding: request.body, as: UTF8.self)
        return switch request.operation {
        case "DescribeTable": describeTable(body)
        case "Scan": scan(body)
        case "DescribeStream": describeStream(body, at: now)
        case "GetShardIterator": shardIterator(body, at: now)
        case "GetRecords": records(body, at: now)
        default: .error("UnknownOperationException")
        }
    }

    // MARK: - Control

    package mutating func createTable(_ definition: TableDefinition, at now: Int64) {
        var table = Table(
            definition: definition,
            stream: "arn:aws:dynamodb:us-east-1:000000000000:table/\(definition.name)/stream/2025-06-15T15:06:40.000")
        let width = UInt64.max / UInt64(definition.shards)
        for index in 0..<UInt64(definition.shards) {
            let isLast = index + 1 == definition.shards
            table.shards.append(
                makeShard(
                    nil, index * width...(isLast ? .max : (index + 1) * width - 1), made: now - settings.listingLag))
        }
        tables.append(table)
    }

    package mutating func put(_ item: Item, into table: String, at now: Int64) {
        change(item.key, to: item, of: table, now)
    }
    package mutating func delete(_ key: Item, from table: String, at now: Int64) {
        change(key.key, to: nil, of: table, now)
    }

    /// The shard is closed, and two go on in its place.
    package mutating func split(_ shard: String, of table: String, at now: Int64) {
        replace(shard, of: table, now) { hashes in
            let middle = hashes.lowerBound + (hashes.upperBound - hashes.lowerBound) / 2
            return [hashes.lowerBound...middle, middle + 1...hashes.upperBound]
        }
    }

    /// The shard is closed, and one goes on in its place.
    package mutating func rollOver(_ shard: String, of table: String, at now: Int64) {
        replace(shard, of: table, now) { [$0] }
    }

    /// No iterator that was issued so far is good any more.
    package mutating func expireIterators() { generation += 1 }

    // MARK: - The truth

    /// Every record that the table's stream ever had, in the order in which they were made.
    package func records(of table: String) -> [Record] { tables.first { $0.definition.name == table }?.records ?? [] }
    /// The items as JSON.
    package func items(of table: String) -> [[UInt8]] {
        (tables.first { $0.definition.name == table }?.items ?? [:]).sorted { $0.key < $1.key }.map {
            Array($0.value.json.utf8)
        }
    }
    /// How many of a shard's records have left the stream.
    package func trimmed(of shard: String, at now: Int64) -> Int {
        let known = tables.lazy.flatMap(\.shards).first { $0.id == shard }
        return known.map {
            $0.isGone(at: now - settings.retention) ? $0.records.count : $0.trimmed(at: now - settings.retention)
        } ?? 0
    }
    package func shards(of table: String) -> [Shard] { tables.first { $0.definition.name == table }?.shards ?? [] }

    // MARK: -

    /// A change that changes nothing leaves no record (DG Streams).
    private mutating func change(_ key: String, to item: Item?, of name: String, _ now: Int64) {
        guard let table = tables.firstIndex(where: { $0.definition.name == name }) else { return }
        let before = tables[table].items[key]
        guard before != item else { return }
        let hash = Self.hash(key)
        guard let shard = tables[table].shards.firstIndex(where: { !$0.isClosed && $0.hashes.contains(hash) }) else {
            preconditionFailure("every hash has an open shard")
        }
        let number = nextNumber()
        let kind = item == nil ? "REMOVE" : before == nil ? "INSERT" : "MODIFY"
        let image = item.map { #""NewImage":\#($0.json),"# } ?? ""
        let json = #"""
            {"eventID":"\#(number)","eventName":"\#(kind)","eventVersion":"1.1","eventSource":"aws:dynamodb",\#
            "awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":\#(now / 1_000_000),"Keys":\#(key),\#
            \#(image)"SequenceNumber":"\#(number)","SizeBytes":64,"StreamViewType":"NEW_IMAGE"}}
            """#
        let record = Record(
            stream: tables[table].stream, shard: tables[table].shards[shard].id, sequenceNumber: number,
            keys: Array(key.utf8), newImage: item.map { Array($0.json.utf8) }, made: now, json: Array(json.utf8))
        tables[table].items[key] = item
        tables[table].records.append(record)
        tables[table].shards[shard].records.append(record)
    }

    private mutating func replace(
        _ id: String, of name: String, _ now: Int64, _ heirs: (ClosedRange<UInt64>) -> [ClosedRange<UInt64>]
    ) {
        guard let table = tables.firstIndex(where: { $0.definition.name == name }),
            let shard = tables[table].shards.firstIndex(where: { $0.id == id && !$0.isClosed })
        else { return }
        tables[table].shards[shard].ending = nextNumber()
        tables[table].shards[shard].closed = now
        for hashes in heirs(tables[table].shards[shard].hashes) {
            tables[table].shards.append(makeShard(id, hashes, made: now))
        }
    }

    /// Shard ids as they are seen: the time in milliseconds and something else (FACTS 1.5).
    private mutating func makeShard(_ parent: String?, _ hashes: ClosedRange<UInt64>, made: Int64) -> Shard {
        shardsMade += 1
        let time = String(made / 1000)
        let tail = String(0x1000_0000 + shardsMade, radix: 16)
        return Shard(
            id: "shardId-\(String(repeating: "0", count: 20 - time.count))\(time)-\(tail)", parent: parent,
            hashes: hashes,
            starting: nextNumber(), made: made)
    }

    /// Numbers of 21 digits that soon have more: the order of their texts is another one.
    private mutating func nextNumber() -> String {
        lastNumber += 1 + chance.below(300)
        return "\(lastNumber)00000000000000000000"
    }

    /// FNV-1a, and the end of MurmurHash3 to spread it.
    static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        return hash ^ (hash >> 33)
    }
}
