import Journal
import StreamModel

@testable import shakectl

/// Facts that the suites share. Times are in November 2026; the clock stands at `now`.
enum Sample {
    static let now = time("2026-11-23T16:30:00Z")
    static let stream = StreamARN("arn:aws:dynamodb:eu-central-1:1:table/orders/stream/2026-11-20T00:00:00.000")

    static func time(_ text: String) -> Timestamp { Timestamp(text) ?? Timestamp(microseconds: 0) }

    static func number(_ text: String) -> SequenceNumber { SequenceNumber(text) ?? zero }

    private static let zero = SequenceNumber([UInt8(ascii: "0")])!

    static func key(_ shard: String, table: String = "orders", stream: StreamARN = stream) -> ShardKey {
        ShardKey(table: TableName(table), stream: stream, shard: ShardID(shard))
    }

    /// A shard as `status` finds it. `at`: the last record that is durable.
    static func shard(
        _ id: String, parent: String? = nil, _ status: Status = .inProcessing, at number: String? = nil,
        starting: String? = nil, ending: String? = nil, updated: Timestamp = time("2026-11-23T16:29:58Z"),
        made: Timestamp? = nil, records: UInt64 = 0, table: String = "orders", fault: Checkpoint.Fault? = nil,
        stream: StreamARN = stream
    ) -> Checkpoint {
        var checkpoint = Checkpoint(
            shard: key(id, table: table, stream: stream),
            discovered: ShardDiscovered(
                parent: parent.map { ShardID($0) },
                range: SequenceRange(starting: starting.map(self.number), ending: ending.map(self.number)),
                start: .trimHorizon),
            position: Position(7), time: updated)
        checkpoint.status = status
        if let number {
            checkpoint.sequenceNumber = self.number(number)
            checkpoint.iteratorType = .afterSequenceNumber
        }
        checkpoint.approximateTime = made
        checkpoint.records = records
        checkpoint.lastFault = fault
        return checkpoint
    }

    static func event(_ payload: Payload, of subject: Subject = .shard(key("shard-1")), revision: UInt64? = 3) -> Event
    {
        Event(
            position: Position(12), time: time("2026-11-23T16:20:00.5Z"), run: RunID(Position(1)), subject: subject,
            revision: revision.map { Revision($0) }, payload: payload)
    }

    static let running = DaemonPresence.running("pid 7 on alpha", nil)
}
