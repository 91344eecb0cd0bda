import Journal
import StreamModel

@testable import NimoShake

enum Sample {
    static let now = Timestamp("2026-11-23T12:00:00Z") ?? Timestamp(microseconds: 0)
    static let stream = StreamARN("arn:aws:dynamodb:eu-central-1:1:table/orders/stream/2026-11-20T00:00:00.000")
    static let number = "4900000000000000000000042"

    /// Half a minute ago, as NimoShake writes the time of a record.
    static let printed = "2026-11-23 11:59:30 +0000 UTC"

    static func row(
        _ shard: String, _ status: String = "in processing", _ type: String = "AT_SEQUENCE_NUMBER",
        at number: String = number, father: String = "", iterator: String = "",
        updated: String = "2026-11-23T11:59:50Z",
        made: String = printed
    ) -> NimoShakeCheckpoint {
        NimoShakeCheckpoint(
            shard: shard, father: father, sequenceNumber: number, status: status, worker: "unknown",
            iteratorType: type, storedIterator: iterator, updated: updated, approximateTime: made)
    }

    static func outlook(
        _ rows: [NimoShakeCheckpoint], status: String? = "incr_sync", listing: [Shard]? = nil, isTorn: Bool = false,
        hasStream: Bool = true
    ) -> NimoShakeOutlook {
        NimoShakeOutlook.of(
            NimoShakeCheckpoints.Table(name: TableName("orders"), rows: rows, isTorn: isTorn), status: status,
            stream: hasStream ? KnownStream(arn: stream, listing: listing) : nil, source: "here", now: now)
    }
}

extension NimoShakeOutlook {
    /// Where a shard goes on.
    func place(_ shard: String) -> Imported? { imported?.shards.first { $0.shard.text == shard }?.imported }
    /// What keeps the table from being taken over.
    var stops: [String] { remarks.filter(\.stops).map { ($0.shard.map { "\($0): " } ?? "") + $0.text } }
}
