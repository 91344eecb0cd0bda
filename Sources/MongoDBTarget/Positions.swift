internal import MongoC
internal import StreamModel
internal import Targets

/// Where a write leaves the shards and segments that it is of, as documents; and back.
struct Positions {
    static let shardsCollection = "_shake_positions"
    static let segmentsCollection = "_shake_scan_positions"

    private var shards: [ShardKey: (epoch: Epoch, upTo: SequenceNumber)] = [:]
    private var segments: [Segment: SegmentPosition] = [:]

    private struct Segment: Hashable {
        let table: TableName
        let number: UInt32
    }

    /// Of several batches of a shard the last one counts: an unordered bulk must not touch a document twice.
    init(_ batches: [Batch]) {
        for batch in batches {
            switch batch.origin {
            case .shard(let shard, let epoch, let upTo): shards[shard] = (epoch, upTo)
            case .scan(let position):
                segments[Segment(table: batch.table.name, number: position.segment)] = position
            case .sweep, .repair: break
            }
        }
    }

    /// For each collection its documents, and what each is found by.
    typealias Documents = [(collection: String, documents: [(filter: Document, document: Document)])]

    var documents: Documents {
        let shards = shards.sorted { $0.key < $1.key }.map { shard, last in
            Self.document(Self.identifier(of: shard)) { writer in
                writer.name("table")
                writer.string(shard.table.text)
                writer.name("epoch")
                writer.int64(Int64(bitPattern: last.epoch.number))
                writer.name("sequence_number")
                writer.string(last.upTo.text)
            }
        }
        let segments = segments.map { segment, last in
            Self.document(Self.identifier(of: segment)) { writer in
                writer.name("table")
                writer.string(segment.table.text)
                writer.name("full_sync")
                writer.int64(Int64(bitPattern: last.fullSync.number))
                writer.name("items")
                writer.int64(Int64(bitPattern: last.items))
            }
        }
        return [(Self.shardsCollection, shards), (Self.segmentsCollection, segments)].filter { !$0.1.isEmpty }
    }

    private static func document(
        _ identifier: Document, _ fill: (inout DocumentWriter) -> Void
    ) -> (filter: Document, document: Document) {
        let filter = Document { writer in
            writer.name("_id")
            writer.document(identifier)
        }
        let document = Document { writer in
            writer.name("_id")
            writer.document(identifier)
            fill(&writer)
        }
        return (filter, document)
    }

    private static func identifier(of shard: ShardKey) -> Document {
        Document { writer in
            writer.name("stream")
            writer.string(shard.stream.text)
            writer.name("shard")
            writer.string(shard.shard.text)
        }
    }

    private static func identifier(of segment: Segment) -> Document {
        Document { writer in
            writer.name("table")
            writer.string(segment.table.text)
            writer.name("segment")
            writer.int64(Int64(segment.number))
        }
    }

    static func shard(_ document: Document, of table: TableName) -> ShardPosition? {
        guard let identifier = document["_id"]?.document, let stream = identifier["stream"]?.text,
            let shard = identifier["shard"]?.text, let epoch = document["epoch"]?.integer,
            let number = document["sequence_number"]?.text.flatMap({ SequenceNumber($0) })
        else { return nil }
        return ShardPosition(
            shard: ShardKey(table: table, stream: StreamARN(stream), shard: ShardID(shard)),
            epoch: Epoch(UInt64(bitPattern: epoch)), sequenceNumber: number)
    }

    static func segment(_ document: Document) -> SegmentPosition? {
        guard let number = document["_id", "segment"]?.integer.flatMap({ UInt32(exactly: $0) }),
            let sync = document["full_sync"]?.integer, let items = document["items"]?.integer
        else { return nil }
        return SegmentPosition(
            fullSync: FullSyncID(UInt64(bitPattern: sync)), segment: number, items: UInt64(bitPattern: items))
    }
}
