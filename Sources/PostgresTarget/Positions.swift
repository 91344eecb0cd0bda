internal import LibPQ
internal import StreamModel
internal import Targets

/// Where a write leaves the shards and segments that it is of, as the parameters of two statements.
struct Positions {
    private var shards = [
        BinaryArray(of: .text), BinaryArray(of: .text), BinaryArray(of: .text), BinaryArray(of: .bigint),
        BinaryArray(of: .text),
    ]
    private var segments = [
        BinaryArray(of: .text), BinaryArray(of: .bigint), BinaryArray(of: .bigint), BinaryArray(of: .bigint),
    ]

    var hasShards: Bool { shards[0].count > 0 }
    var hasSegments: Bool { segments[0].count > 0 }
    var shardParameters: [Parameter] { shards.map { .array($0) } }
    var segmentParameters: [Parameter] { segments.map { .array($0) } }

    /// Of several batches of a shard the last one counts: one statement must not touch a row twice.
    init(_ batches: [Batch]) {
        var lastOfShard: [ShardKey: (epoch: Epoch, upTo: SequenceNumber)] = [:]
        var lastOfSegment: [Segment: SegmentPosition] = [:]
        for batch in batches {
            switch batch.origin {
            case .shard(let shard, let epoch, let upTo): lastOfShard[shard] = (epoch, upTo)
            case .scan(let position):
                lastOfSegment[Segment(table: batch.table.name, number: position.segment)] = position
            case .sweep, .repair: break
            }
        }
        for (shard, last) in lastOfShard.sorted(by: { $0.key < $1.key }) {
            shards[0].append(shard.table.text.utf8)
            shards[1].append(shard.stream.text.utf8)
            shards[2].append(shard.shard.text.utf8)
            shards[3].append(Int64(bitPattern: last.epoch.number))
            shards[4].append(last.upTo.text.utf8)
        }
        for (segment, last) in lastOfSegment {
            segments[0].append(segment.table.text.utf8)
            segments[1].append(Int64(segment.number))
            segments[2].append(Int64(bitPattern: last.fullSync.number))
            segments[3].append(Int64(bitPattern: last.items))
        }
    }

    private struct Segment: Hashable {
        let table: TableName
        let number: UInt32
    }
}
