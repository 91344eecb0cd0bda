internal import Dispatcher
internal import Journal
internal import StreamModel

extension KnownLoss {
    var json: JSON {
        [
            "table": .string(table.text),
            "shard": .string(shard?.shard.text),
            "cause": .string(loss.lost.cause.rawValue),
            "from_sequence_number": .string(loss.lost.from?.text),
            "to_sequence_number": .string(loss.lost.to?.text),
            "since": .string(loss.lost.since?.description),
            "policy": .string(loss.lost.policy.rawValue),
            "detail": .string(loss.lost.detail),
            "time": .string(loss.time.description),
            "position": .unsigned(loss.position.number),
            "acknowledged": .bool(loss.isAcknowledged),
            "remedy": .string(loss.remedy?.rawValue),
        ]
    }
}
