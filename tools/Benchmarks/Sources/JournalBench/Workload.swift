internal import Journal
internal import StreamModel

/// What a daemon that follows one table writes into its journal, in the sizes that it really has.
enum Workload {
    private static let stream = StreamARN(
        "arn:aws:dynamodb:us-east-1:000000000000:table/bench/stream/2026-11-23T12:00:00.000")

    static func shard(_ number: Int) -> ShardKey {
        let digits = String(100_000_000 + number).dropFirst()
        return ShardKey(
            table: TableName("bench"), stream: stream, shard: ShardID("shardId-000000017954\(digits)-1d1e00f9"))
    }

    /// A shard's first events: found, taken up, its start decided.
    static func takenUp(_ shard: ShardKey) -> Draft {
        let range = SequenceRange(starting: sequenceNumber(0))
        return Draft(
            shard: shard, expecting: .none,
            [
                .shardDiscovered(ShardDiscovered(parent: nil, range: range, start: .trimHorizon)),
                .queried(
                    Queried(
                        revision: Revision(1), status: .notProcessed, iteratorType: .trimHorizon, sequenceNumber: nil,
                        worker: "bench:1")),
                .iteratorResolved(
                    IteratorResolved(
                        rule: "trim_horizon", iteratorType: .trimHorizon, sequenceNumber: nil,
                        iterator: ShardIterator("\(stream)|1|page-0"))),
                .statusChanged(StatusChanged(from: .notProcessed, to: .inProcessing, reason: "taken up")),
            ])
    }

    /// A page of 1000 records is durable.
    static func advance(to revision: Revision) -> Payload {
        .sequenceAdvanced(
            SequenceAdvanced(
                sequenceNumber: sequenceNumber(revision.number), records: 1000, bytes: 1_048_000,
                approximateTime: Timestamp(microseconds: 1_795_430_000_000_000 + Int64(revision.number) * 1_000_000),
                targetToken: nil))
    }

    /// 25 digits, as the service's have. Made without text: an appender shall cost little beside the journal.
    private static func sequenceNumber(_ number: UInt64) -> SequenceNumber {
        var digits = InlineArray<25, UInt8>(repeating: UInt8(ascii: "4"))
        var rest = number * 17
        for place in 0..<12 {
            digits[24 - place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        guard let sequenceNumber = SequenceNumber(digits.span) else {
            preconditionFailure("25 digits are a sequence number")
        }
        return sequenceNumber
    }
}
