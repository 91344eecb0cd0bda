/// One stream of a table. It outlives its table, and the switch that turned it off, by a day.
struct Stream: Sendable {
    let arn: Text
    let label: Text
    let table: Text
    let schema: KeySchema
    let view: StreamView
    let created: Int64
    let activeAt: Int64
    var disabled: Int64?
    private(set) var shards: [Shard] = []
    private var ordinals: [Text: Int] = [:]
    /// Of all shards that were ever made, in this order, also of those that are let go of.
    private var places: [Text: Int] = [:]
    /// Ordinals of the open ones.
    private(set) var open: [Int] = []

    init(
        arn: Text, label: Text, table: Text, schema: KeySchema, view: StreamView, created: Int64, activeAt: Int64
    ) {
        self.arn = arn
        self.label = label
        self.table = table
        self.schema = schema
        self.view = view
        self.created = created
        self.activeAt = activeAt
    }

    func status(at now: Int64) -> String { disabled != nil ? "DISABLED" : now < activeAt ? "ENABLING" : "ENABLED" }
    func takesRecords(at now: Int64) -> Bool { disabled == nil && now >= activeAt }
    func isGone(at horizon: Int64) -> Bool { disabled.map { $0 <= horizon } ?? false }

    func ordinal(_ shard: Text) -> Int? { ordinals[shard] }

    /// Where the shard stands among all that were ever made; for a shuffled listing in an order that has nothing to do with
    /// time. It is the same for each page, whatever has left the listing since.
    func place(of shard: Text, isShuffled: Bool) -> (mixed: UInt64, made: Int)? {
        places[shard].map { (isShuffled ? Self.mixed(shard) : 0, $0) }
    }

    private static func mixed(_ id: Text) -> UInt64 {
        id.bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// Every hash has one.
    func openShard(of placement: UInt64) -> Int {
        guard let ordinal = open.first(where: { shards[$0].hashes.contains(placement) }) else {
            preconditionFailure("every hash has an open shard")
        }
        return ordinal
    }

    mutating func add(_ shard: Shard) {
        ordinals[shard.id] = shards.count
        places[shard.id] = places.count
        open.append(shards.count)
        shards.append(shard)
    }

    mutating func append(_ record: Record, to ordinal: Int) { shards[ordinal].append(record) }

    mutating func close(_ ordinal: Int, _ ending: Text, at now: Int64) {
        shards[ordinal].ending = ending
        shards[ordinal].closed = now
        open.removeAll { $0 == ordinal }
    }

    /// Takes away all records but the newest `count`.
    mutating func keep(_ count: Int) {
        let numbers = shards.flatMap(\.numbers).sorted(by: SequenceNumbers.isLess)
        guard count < numbers.count else { return }
        let last = numbers[numbers.count - count - 1]
        for ordinal in shards.indices { shards[ordinal].removeAll(upTo: last) }
    }

    /// Lets go of shards and records that have left the stream.
    mutating func forget(at horizon: Int64) {
        let gone = shards.count { $0.isGone(at: horizon) }
        if gone > 64, gone * 2 > shards.count {
            let kept = shards.filter { !$0.isGone(at: horizon) }
            shards = kept
            ordinals = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1.id, $0) })
            open = kept.indices.filter { !kept[$0].isClosed }
        }
        for ordinal in shards.indices { shards[ordinal].forget(at: horizon) }
    }
}
