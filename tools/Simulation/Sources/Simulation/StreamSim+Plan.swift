internal import StreamModel
internal import StreamSim

/// The plan's words in the simulated service's.
extension Settings {
    init(_ plan: Plan) {
        self.init()
        shards = plan.shards
        shardsOfAPage = plan.listingPage
        shuffledListings = plan.shufflesListings
        contradictoryListings = plan.contradictions
        recordsOfAPage = plan.pageSize
        itemsOfAPage = plan.scanPage
        listingLag = Int64(plan.listingLag / .microseconds(1))
        emptyPages = plan.emptyPages
        shortPages = plan.shortPages
        spellsEndAsNull = plan.seed.isMultiple(of: 2)
        quirks = plan.ignoresShardFilter ? [.ignoresShardFilter] : []
    }

    /// Credentials expire too, which no fault of the moment is.
    mutating func fail(_ share: Int) {
        faults = share
        faultRules = share > 0 ? [FaultRule(.expiredToken, percent: max(1, share / 12))] : []
    }

    /// However long a daemon waits, so many pages in a row may be empty, and so many listings wrong.
    mutating func calm() {
        (faults, emptyPages, contradictoryListings) = (0, 0, 0)
        faultRules = []
    }
}

extension StreamView {
    init(_ plan: Plan) { self = plan.hasOldImages ? .newAndOldImages : .newImage }
}

/// An item as the simulation writes it: with attributes that an application has, and such as break what is careless.
enum SimulatedItem {
    static let expiry: Text = "expires"

    /// The key of the `index`th item.
    static func key(_ schema: TableSchema, _ index: Int) -> Attributes {
        var key: Attributes = ["id": .string(Text("item-\(index / 2)"))]
        if schema.range != nil { key["at"] = AttributeValue(Int64(index)) }
        return key
    }

    /// - Parameter expiry: in seconds since 1970, where it has one.
    static func item(_ key: Attributes, version: Int, text: String, expiry: Int64? = nil) -> Attributes {
        var item = key
        item["version"] = AttributeValue(Int64(version))
        item["text"] = .string(Text(text))
        if version % 5 == 1 { item["more"] = .map(["list": .list([.null, .bool(true)]), "é": .binary([0, 255])]) }
        if let expiry { item[Self.expiry] = AttributeValue(expiry) }
        return item
    }
}

extension Simulator {
    mutating func make(_ schema: TableSchema, _ view: StreamView, at now: Int64) {
        let keys = KeySchema(
            hash: KeySchema.Attribute("id"), range: schema.range == nil ? nil : KeySchema.Attribute("at", "N"))
        must { service throws(ServiceError) in
            try service.createTable(TableDefinition(name: schema.name.word, schema: keys, view: view), at: now)
            try service.setTimeToLive(SimulatedItem.expiry, of: schema.name.word)
        }
    }

    /// Does nothing where it is as wanted.
    ///
    /// - Returns: whether anything was switched.
    mutating func switchStream(of table: TableName, to view: StreamView?, at now: Int64) -> Bool {
        guard isStreaming(table.word) != (view != nil) else { return false }
        must { service throws(ServiceError) in try service.setStream(view, of: table.word, at: now) }
        return true
    }

    mutating func write(_ item: Attributes, to table: TableName, at now: Int64) {
        must { service throws(ServiceError) in try service.put(item, into: table.word, at: now) }
    }

    mutating func remove(_ key: Attributes, from table: TableName, at now: Int64) {
        must { service throws(ServiceError) in try service.delete(key, from: table.word, at: now) }
    }

    /// All that is written here is made here, and in the form that the service asks for: a refusal is a mistake of the simulation, and
    /// no run goes on beside it.
    private mutating func must(_ body: (inout Simulator) throws(ServiceError) -> Void) {
        do throws(ServiceError) { try body(&self) } catch {
            preconditionFailure("the service refuses the plan: \(error)")
        }
    }

    /// All shards that a table's stream ever had, in the order of their making, with their parents.
    func lineage(of table: TableName) -> [(shard: ShardKey, parent: ShardID?)] {
        guard let stream = stream(of: table.word).map({ StreamARN($0.string) }) else { return [] }
        return shards(of: table.word).map { shard in
            (
                ShardKey(table: table, stream: stream, shard: ShardID(shard.id.string)),
                shard.parent.map { ShardID($0.string) }
            )
        }
    }

    /// What it has covered, by the catalogue's names; that some call was refused is the client's to tell.
    var noted: [String: Int] {
        Dictionary(
            coverage.filter { !$0.key.hasPrefix("refused: ") }.map { (Catalogue.service($0.key), $0.value) }
        ) { $0 + $1 }
    }
}

extension TableName {
    var word: Text { Text(text) }
}

/// What a call was about, as far as the judge wants to know.
enum Exchange {
    case iterator(ShardIterator, ShardKey, isLatest: Bool)
    case page(ShardIterator, next: ShardIterator?)
    /// A page of a segment, and whether it is its first.
    case scan(TableName, segment: Int, isFirst: Bool)

    init?(_ request: Request, _ reply: Reply) {
        guard reply.status == 200 else { return nil }
        if request.target.hasSuffix("GetRecords") {
            guard let iterator = request.body.member("ShardIterator") else { return nil }
            self = .page(
                ShardIterator(iterator), next: reply.body.member("NextShardIterator").map { ShardIterator($0) })
        } else if request.target.hasSuffix("GetShardIterator") {
            guard let stream = request.body.member("StreamArn"), let shard = request.body.member("ShardId"),
                let iterator = reply.body.member("ShardIterator"),
                let table = stream.split(separator: "/").dropFirst().first
            else { return nil }
            self = .iterator(
                ShardIterator(iterator),
                ShardKey(table: TableName(String(table)), stream: StreamARN(stream), shard: ShardID(shard)),
                isLatest: request.body.member("ShardIteratorType") == "LATEST")
        } else if request.target.hasSuffix(".Scan") {
            guard let table = request.body.member("TableName") else { return nil }
            self = .scan(
                TableName(table), segment: request.body.number("Segment") ?? 0,
                isFirst: request.body.firstRange(of: Array(#""ExclusiveStartKey":"#.utf8)) == nil)
        } else {
            return nil
        }
    }
}

extension [UInt8] {
    /// The value of the first member of that name, a number without a sign.
    fileprivate func number(_ name: String) -> Int? {
        guard let start = firstRange(of: Array("\"\(name)\":".utf8))?.upperBound else { return nil }
        return Int(String(decoding: self[start...].prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
    }

    /// The value of the first member of that name, a string that has no escapes.
    fileprivate func member(_ name: StaticString) -> String? {
        let pattern = Array("\"\(name)\":\"".utf8)
        let (bytes, first) = (span, pattern[0])
        var start = 0
        while start + pattern.count <= bytes.count {
            if bytes[start] == first, pattern.indices.allSatisfy({ bytes[start + $0] == pattern[$0] }) {
                let value = start + pattern.count
                guard let end = self[value...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
                return String(decoding: self[value..<end], as: UTF8.self)
            }
            start += 1
        }
        return nil
    }
}

extension Catalogue {
    /// What any call may fail with.
    static let faults = Fault.allCases.filter { $0.actions == nil }.map(\.rawValue)

    /// What else is peculiar to the service.
    static let peculiarities = [
        "listing, a shard has aged out", "listing, a shard is not listed yet", "listing, goes on on another page",
        "listing, a parent is closed, and its children are missing", "listing, a parent is open beside its children",
        "scan, goes on on another page", "iterator, trimmed", "page, trimmed", "page, empty, with more to come",
        "page, short", "page, the last, with no records", "page, the last, with some records", "stream, switched off",
        "stream, switched on",
    ]

    /// The catalogue's name of what the service says that it has covered.
    static func service(_ name: String) -> String {
        name.hasPrefix("fault: ") ? name : "service: " + name.split(separator: ": ").joined(separator: ", ")
    }
}
