import Journal
import StreamModel

/// Things that a test needs one of.
enum Sample {
    static let table = TableName("orders")
    static let stream = StreamARN("arn:aws:dynamodb:eu-central-1:1:table/orders/stream/2026-11-23T00:00:00.000")
    static let moment = Timestamp(microseconds: 1_795_000_000_500_000)

    static func stream(of name: TableName) -> StreamARN {
        name == table
            ? stream : StreamARN("arn:aws:dynamodb:eu-central-1:1:table/\(name)/stream/2026-11-23T00:00:00.000")
    }

    static func key(_ shard: String) -> ShardKey { ShardKey(table: table, stream: stream, shard: ShardID(shard)) }

    static func number(_ value: Int) -> SequenceNumber {
        guard let number = SequenceNumber(String(value)) else { preconditionFailure("a number of up to 40 digits") }
        return number
    }

    static func iterator(_ name: String) -> ShardIterator { ShardIterator(name) }

    static func checkpoint(
        _ shard: String = "a", parent: String? = nil, status: Status = .notProcessed, type: IteratorType = .trimHorizon,
        number: SequenceNumber? = nil, stored: StoredIterator? = nil, ending: SequenceNumber? = nil,
        accountedUntil: Timestamp? = nil
    ) -> Checkpoint {
        var checkpoint = Checkpoint(
            shard: key(shard),
            discovered: ShardDiscovered(
                parent: parent.map { ShardID($0) }, range: SequenceRange(ending: ending), start: type),
            position: Position(1), time: moment)
        checkpoint.status = status
        checkpoint.sequenceNumber = number
        checkpoint.storedIterator = stored
        checkpoint.accountedUntil = accountedUntil
        return checkpoint
    }

    static func shard(_ id: String, parent: String? = nil, closed: Bool = false) -> Shard {
        Shard(
            id: ShardID(id), parent: parent.map { ShardID($0) },
            range: SequenceRange(starting: number(1), ending: closed ? number(9) : nil))
    }
}
