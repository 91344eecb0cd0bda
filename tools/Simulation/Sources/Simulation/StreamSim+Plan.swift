internal import StreamModel
internal import StreamSim

/// The plan's words in the simulated service's.
extension Settings {
    init(_ plan: Plan) {
        self.init()
        shardsOfAPage = plan.listingPage
        recordsOfAPage = plan.pageSize
        itemsOfAPage = max(plan.pageSize, 5)
        listingLag = Int64(plan.listingLag / .microseconds(1))
        emptyPages = plan.emptyPages
        spellsEndAsNull = plan.seed.isMultiple(of: 2)
    }

    mutating func fail(_ share: Int) { faults = share }
}

extension TableDefinition {
    init(_ schema: TableSchema, shards: Int) {
        self.init(name: schema.name.text, hasSortKey: schema.range != nil, shards: shards)
    }
}

extension Item {
    /// The key of the `index`th item.
    static func key(_ schema: TableSchema, _ index: Int) -> Item {
        Item(id: "item-\(index / 2)", at: schema.range == nil ? nil : index)
    }

    func with(version: Int, text: String) -> Item {
        var item = self
        item.version = version
        item.text = text
        return item
    }
}

extension Simulator {
    /// All shards that a table's stream ever had, in the order of their making, with their parents.
    func lineage(of table: TableName) -> [(shard: ShardKey, parent: ShardID?)] {
        let stream = StreamARN(
            "arn:aws:dynamodb:us-east-1:000000000000:table/\(table)/stream/2025-06-15T15:06:40.000")
        return shards(of: table.text).map { shard in
            (ShardKey(table: table, stream: stream, shard: ShardID(shard.id)), shard.parent.map { ShardID($0) })
        }
    }

    /// What it has covered, by the catalogue's names.
    var noted: [String: Int] {
        Dictionary(coverage.map { (Catalogue.service($0.key), $0.value) }) { $0 + $1 }
    }
}

/// What a call was about, as far as the judge wants to know.
enum Exchange {
    case iterator(ShardIterator, ShardKey, isLatest: Bool)
    case page(ShardIterator, next: ShardIterator?)

    init?(_ request: Request, _ reply: Reply) {
        guard reply.status == 200 else { return nil }
        if request.target.hasSuffix("GetRecords") {
            guard let iterator = request.body.member("ShardIterator") else { return nil }
            self = .page(ShardIterator(iterator), next: reply.body.member("NextShardIterator").map { ShardIterator($0) })
        } else if request.target.hasSuffix("GetShardIterator") {
            guard let stream = request.body.member("StreamArn"), let shard = request.body.member("ShardId"),
                let iterator = reply.body.member("ShardIterator"),
                let table = stream.split(separator: "/").dropFirst().first
            else { return nil }
            self = .iterator(
                ShardIterator(iterator),
                ShardKey(table: TableName(String(table)), stream: StreamARN(stream), shard: ShardID(shard)),
                isLatest: request.body.member("ShardIteratorType") == "LATEST")
        } else {
            return nil
        }
    }
}

extension [UInt8] {
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
    static let faults = [
        "ThrottlingException", "ProvisionedThroughputExceededException", "LimitExceededException", "InternalServerError",
        "503 in HTML", "reset before the effect", "reset after the effect", "delay", "truncated body", "malformed JSON",
        "wrong checksum", "ExpiredTokenException",
    ]

    /// What else is peculiar to the service.
    static let peculiarities = [
        "listing, a shard has aged out", "listing, a shard is not listed yet", "listing, goes on on another page",
        "iterator, trimmed", "page, trimmed", "page, empty, with more to come", "page, the last, with no records",
        "page, the last, with some records",
    ]

    /// The catalogue's name of what the service says that it has covered.
    static func service(_ name: String) -> String {
        name.hasPrefix("fault: ") ? name : "service: " + name.split(separator: ": ").joined(separator: ", ")
    }
}
