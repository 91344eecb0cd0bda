package import StreamModel

/// A record that the target can't hold, as it is kept for whoever has to deal with it: with its cause, and its bytes as they
/// arrived.
///
///     {"refused":…,"target":…,"cause":…,"table":…,"stream":…,"shard":…,"sequence_number":…,"epoch":…,
///      "event":…,"approximate_time":…,"keys":{…},"new_image":{…},"old_image":{…}}
///
/// What it lacks is `null`. Of an item of a full sync `keys` and `new_image` are the whole item.
package struct DeadLetter: Sendable {
    package let time: Timestamp
    package let target: String
    package let cause: String
    package let batch: Batch
    package let change: Change

    package init(_ change: Change, of batch: Batch, target: String, cause: String, time: Timestamp) {
        self.change = change
        self.batch = batch
        self.target = target
        self.cause = cause
        self.time = time
    }

    /// One line of JSON with its end.
    package var line: [UInt8] {
        let body = batch.parts.first { $0.changes.contains(change) }?.body ?? []
        var line = Array("{\"refused\":".utf8) + Self.string(time.description)
        func member(_ name: String, _ value: [UInt8]) { line += Array(",\"\(name)\":".utf8) + value }
        member("target", Self.string(target))
        member("cause", Self.string(cause))
        member("table", Self.string(batch.table.name.text))
        switch batch.origin {
        case .shard(let shard, let epoch, _):
            member("stream", Self.string(shard.stream.text))
            member("shard", Self.string(shard.shard.text))
            member("sequence_number", Self.string(change.sequenceNumber?.text))
            member("epoch", Array(epoch.description.utf8))
        case .scan, .sweep, .repair:
            for name in ["stream", "shard", "sequence_number", "epoch"] { member(name, Self.string(nil)) }
        }
        member("event", Self.string(change.kind.rawValue))
        member("approximate_time", Self.string(change.approximateTime?.description))
        member("keys", Self.json(change.keys, in: body))
        member("new_image", Self.json(change.newImage, in: body))
        member("old_image", Self.json(change.oldImage, in: body))
        return line + Array("}\n".utf8)
    }

    private static func string(_ text: String?) -> [UInt8] { text.map { quoted($0.utf8) } ?? Array("null".utf8) }

    /// Outside a string a line's end is white space, and inside one JSON has it escaped.
    private static func json(_ place: ByteRange?, in body: [UInt8]) -> [UInt8] {
        guard let place, place.range.upperBound <= body.count else { return Array("null".utf8) }
        return body[place.range].filter { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    }
}
