internal import MongoC
internal import StreamModel
internal import Targets

/// Which change a document comes of, kept in its field `_shake`, in Shake's own formats.
///
/// It is there for one thing: where writes come again, an older change of a shard is not to go over a later one of the same epoch. A row
/// of a scan has none, and whoever brings it knows that nothing has changed since.
struct WriteStamp: Hashable, Sendable {
    private let number: SequenceNumber
    private let shard: [UInt8]
    private let epoch: Int64

    /// `nil` for what is no change of a shard.
    init?(_ change: Change, of origin: Batch.Origin) {
        guard let number = change.sequenceNumber, case .shard(let shard, let epoch, _) = origin else { return nil }
        self.number = number
        self.shard = Array(shard.shard.text.utf8)
        self.epoch = Int64(bitPattern: epoch.number)
    }

    /// With zeros before it, so that texts have the order of the numbers.
    private var padded: [UInt8] {
        let digits = number.utf8
        return repeatElement(UInt8(ascii: "0"), count: SequenceNumber.maximumDigits - digits.count) + digits
    }

    func write(to writer: inout DocumentWriter) {
        writer.name(FieldNames.own)
        writer.beginDocument()
        writer.name("shard")
        writer.string(shard)
        writer.name("epoch")
        writer.int64(epoch)
        writer.name("sequence_number")
        writer.string(padded)
        writer.end()
    }

    /// As a part of a filter: of another shard or none, of another epoch, or not after this.
    ///
    /// Epochs have no order here: a journal that was restored from before a rewind goes on in an older one, with what is newest.
    func writeGuard(to writer: inout DocumentWriter) {
        writer.name("$or")
        writer.beginArray()
        writer.beginDocument()
        writer.name("_shake.shard")
        Self.operation("$ne", to: &writer) { $0.string(shard) }
        writer.end()
        writer.beginDocument()
        writer.name("_shake.epoch")
        Self.operation("$ne", to: &writer) { $0.int64(epoch) }
        writer.end()
        writer.beginDocument()
        writer.name("_shake.sequence_number")
        Self.operation("$lte", to: &writer) { $0.string(padded) }
        writer.end()
        writer.end()
    }

    private static func operation(
        _ name: String, to writer: inout DocumentWriter, _ value: (inout DocumentWriter) -> Void
    ) {
        writer.beginDocument()
        writer.name(name)
        value(&writer)
        writer.end()
    }
}
