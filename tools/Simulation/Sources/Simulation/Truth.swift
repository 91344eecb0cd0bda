package import StreamModel

/// What really happened at the source: every record that every shard ever had, trimmed or not.
package struct Truth: Sendable {
    package struct Record: Sendable {
        package let number: SequenceNumber
        package let item: Disk.ItemID
        /// What the change leaves of the item in the target; `nil`: nothing, since it was removed, or does not match its table's
        /// filter.
        package let image: [UInt8]?
        /// Whether its table's filter says nothing of it: the target can't have held the item before it either.
        package let isLeftOut: Bool
        /// Its place among all changes of the item: 1, 2, 3 …
        package let ordinal: Int
        /// In microseconds since 1970.
        package let made: Int64
    }

    package struct Log: Sendable {
        package var records: [Record] = []
        /// Places of the records by their numbers.
        package var places: [SequenceNumber: Int] = [:]
    }

    package struct Stream: Sendable {
        package let arn: StreamARN
        package let created: Timestamp
        /// When it was switched off.
        package let disabled: Timestamp?

        package init(arn: StreamARN, created: Timestamp, disabled: Timestamp?) {
            (self.arn, self.created, self.disabled) = (arn, created, disabled)
        }
    }

    package private(set) var shards: [ShardKey: Log] = [:]
    /// Each table's streams, the oldest first.
    package private(set) var streams: [TableName: [Stream]] = [:]
    /// When items were changed whose last change no stream has.
    package private(set) var unstreamed: [Disk.ItemID: Timestamp] = [:]
    /// When each table was changed without a stream.
    package private(set) var gaps: [TableName: [Timestamp]] = [:]
    /// The last change of each item that a stream has and no filter leaves out.
    package private(set) var newest: [Disk.ItemID: Disk.Origin] = [:]
    private var changes: [Disk.ItemID: Int] = [:]

    package init() {}

    package mutating func add(
        _ number: SequenceNumber, of shard: ShardKey, item: Disk.ItemID, image: [UInt8]?, isLeftOut: Bool = false,
        made: Int64
    ) {
        changes[item, default: 0] += 1
        // What is left out puts right nothing that came before it.
        if !isLeftOut {
            newest[item] = Disk.Origin(shard: shard, number: number)
            unstreamed[item] = nil
        }
        let record = Record(
            number: number, item: item, image: image, isLeftOut: isLeftOut, ordinal: changes[item] ?? 0, made: made)
        shards[shard, default: Log()].places[number] = shards[shard]?.records.count ?? 0
        shards[shard]?.records.append(record)
    }

    package mutating func add(unstreamed item: Disk.ItemID, made: Timestamp) {
        unstreamed[item] = made
        gaps[item.table, default: []].append(made)
    }

    /// A stream is there, or is switched off.
    package mutating func know(_ stream: Stream, of table: TableName) {
        if streams[table]?.last?.arn == stream.arn { streams[table]?.removeLast() }
        streams[table, default: []].append(stream)
    }

    package func stream(_ arn: StreamARN, of table: TableName) -> Stream? {
        streams[table]?.first { $0.arn == arn }
    }

    package func place(of origin: Disk.Origin) -> Int? { shards[origin.shard]?.places[origin.number] }

    package func record(_ origin: Disk.Origin) -> Record? {
        guard let log = shards[origin.shard], let place = log.places[origin.number] else { return nil }
        return log.records[place]
    }

    /// How many records a shard has.
    package func count(of shard: ShardKey) -> Int { shards[shard]?.records.count ?? 0 }
}
