import StreamModel

@testable import Journal

enum Sample {
    static let table = TableName("orders")
    static let stream = StreamARN(
        "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-11-23T00:00:00.000")
    static let daemon = RunStarted(
        role: "daemon", version: "0.1", host: "here", pid: 7, region: "eu-central-1", endpoint: "http://localhost:5000")
    static let steward = RunStarted(role: "rewind", version: "0.1", host: "here", pid: 8)
    static let noon = Timestamp("2026-11-23T12:00:00Z") ?? Timestamp(microseconds: 0)

    static func shard(_ number: Int) -> ShardID { ShardID("shardId-0000\(number)") }
    static func key(_ number: Int) -> ShardKey { ShardKey(table: table, stream: stream, shard: shard(number)) }

    /// Around ten to the 22, where numbers outgrow 64 bits and text order goes wrong.
    static func number(_ offset: Int) -> SequenceNumber {
        guard let number = SequenceNumber("1000000000000000000" + String(offset + 1000)) else {
            preconditionFailure("\(offset) makes no sequence number")
        }
        return number
    }
}

extension Payload {
    static func discovered(
        parent: Int? = nil, from starting: Int? = 0, to ending: Int? = nil, start: IteratorType = .trimHorizon
    ) -> Payload {
        .shardDiscovered(
            ShardDiscovered(
                parent: parent.map(Sample.shard),
                range: SequenceRange(starting: starting.map(Sample.number), ending: ending.map(Sample.number)),
                start: start))
    }

    static func queried(worker: String = "here:7") -> Payload {
        .queried(
            Queried(
                revision: Revision(1), status: .prepared, iteratorType: .trimHorizon, sequenceNumber: nil,
                worker: worker))
    }

    static func resolved(_ type: IteratorType, iterator: String? = "iterator", issued: Timestamp? = nil) -> Payload {
        .iteratorResolved(
            IteratorResolved(
                rule: "a rule", iteratorType: type, sequenceNumber: nil, iterator: iterator.map { ShardIterator($0) },
                issued: issued))
    }

    static func status(_ from: Status, _ to: Status) -> Payload {
        .statusChanged(StatusChanged(from: from, to: to, reason: "because"))
    }

    static func advanced(
        _ number: Int, records: UInt64 = 1, time: Timestamp? = Sample.noon, token: String? = nil, first: Int? = nil
    ) -> Payload {
        .sequenceAdvanced(
            SequenceAdvanced(
                sequenceNumber: Sample.number(number), records: records, bytes: 100 * records, approximateTime: time,
                targetToken: token.map { TargetToken($0) }, first: first.map(Sample.number)))
    }

    static func faulted(_ code: String = "Throttled") -> Payload {
        .faulted(Faulted(code: code, message: "slow down", isRetried: true))
    }

    static func rewound(from: Int?, to: Int?, inclusive: Bool = false, root: Int? = nil, epoch: UInt64) -> Payload {
        .rewound(
            Rewound(
                from: from.map(Sample.number), to: to.map(Sample.number), inclusive: inclusive, reason: "because",
                author: "me@here", cascadeRoot: root.map(Sample.shard), epoch: Epoch(epoch)))
    }

    static func lost(
        _ policy: LossPolicy, _ cause: LossCause = .trimmed, from: Int? = 7, to: Int? = nil
    ) -> Payload {
        .rangeLost(
            RangeLost(
                cause: cause, from: from.map(Sample.number), to: to.map(Sample.number), since: nil, policy: policy,
                detail: "gone"))
    }

    static func acknowledged(_ remedy: LossPolicy? = nil) -> Payload {
        .lossAcknowledged(LossAcknowledged(author: "me@here", reason: "because", remedy: remedy))
    }

    static func refused(_ number: Int?) -> Payload {
        .recordRefused(
            RecordRefused(
                sequenceNumber: number.map(Sample.number), code: "TargetUnwritable", cause: "no", offset: 5, bytes: 300)
        )
    }

    static func settled(_ refusal: Position) -> Payload {
        .refusalSettled(RefusalSettled(refusal: refusal, author: "me@here", reason: "because"))
    }

    static func paused(by author: String = "me@here") -> Payload {
        .paused(Paused(author: author, reason: "because"))
    }

    static func resumed() -> Payload { .resumed(Resumed(author: "me@here", reason: "because")) }

    static func imported(
        _ status: Status = .prepared, _ type: IteratorType = .afterSequenceNumber, at number: Int? = 7,
        owedSince: Timestamp? = Sample.noon
    ) -> Payload {
        .imported(
            Imported(
                status: status, iteratorType: type, sequenceNumber: number.map(Sample.number),
                approximateTime: number == nil ? nil : Sample.noon, owedSince: owedSince,
                origin: Imported.Origin(program: "another", source: "here", status: "at work")))
    }

    /// From its discovery to in processing.
    static let takenUp: [Payload] = [.queried(), .resolved(.trimHorizon), .status(.notProcessed, .inProcessing)]
}
