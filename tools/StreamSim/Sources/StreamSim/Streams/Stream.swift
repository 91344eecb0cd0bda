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
    func isGone(at horizon: Int64) -> Bool { disabled.map { $0 <= horizon } ?? false }

    func ordinal(_ shard: Text) -> Int? { ordinals[shard] }

    /// Every hash has one.
    func openShard(of placement: UInt64) -> Int {
        guard let ordinal = open.first(where: { shards[$0].hashes.contains(placement) }) else {
            preconditionFailure("every hash has an open shard")
        }
        return ordinal
    }

    mutating func add(_ shard: Shard) {
        ordinals[shard.id] = shards.count
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
