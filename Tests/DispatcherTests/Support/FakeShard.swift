import StreamModel

/// A shard as a test scripts it. Its records are named by their sequence numbers, small and growing.
struct FakeShard: Sendable {
    struct Record: Sendable {
        let number: Int
        /// The item that it changed.
        let key: String
        let time: Timestamp
        /// As it is to arrive, where a test wants another one than usual.
        var text: String?
    }

    let id: String
    let table: TableName
    /// The stream that it is of.
    var stream: StreamARN
    let parent: String?
    var records: [Record]
    var isClosed: Bool
    /// Whether listings show it yet.
    var isListed: Bool
    /// So many pages bring nothing before the next one that brings something.
    var emptyPages = 0
    /// How many listings don't show it yet.
    var hiddenListings = 0
    /// Records that a page brings at most.
    var pageSize: Int
    /// Records from the first on that have left the stream.
    var trimmed = 0
    /// Whatever number an iterator is asked for, it begins at the first record that is left.
    var ignoresNumbers = false
    /// Bytes that each record weighs besides its keys.
    var weight: Int

    init(
        _ id: String, of table: TableName = Sample.table, parent: String? = nil, _ numbers: ClosedRange<Int>? = nil,
        isClosed: Bool = false, isListed: Bool = true, pageSize: Int = 1000, weight: Int = 0
    ) {
        self.id = id
        self.table = table
        stream = Sample.stream(of: table)
        self.parent = parent
        self.isClosed = isClosed
        self.isListed = isListed
        self.pageSize = pageSize
        self.weight = weight
        records = []
        if let numbers { put(numbers) }
    }

    /// The same shard, of another stream of its table.
    func moved(to stream: StreamARN) -> FakeShard {
        var shard = self
        shard.stream = stream
        return shard
    }

    mutating func put(_ numbers: ClosedRange<Int>, at time: Timestamp = .now()) {
        records += numbers.map { Record(number: $0, key: "item-\($0 % 3)", time: time) }
    }

    var shard: Shard {
        Shard(
            id: ShardID(id), parent: parent.map { ShardID($0) },
            range: SequenceRange(
                starting: records.first.map { Sample.number($0.number) },
                ending: isClosed ? Sample.number(records.last?.number ?? 0) : nil))
    }
}
