internal import Glibc
internal import Simdjson
internal import StreamModel

/// Appends changes as lines of JSON. Images and keys are the bytes that arrived.
///
///     {"table":…,"shard":…,"sequence_number":…,"event":…,"approximate_time":…,
///      "keys":{…},"new_image":{…},"old_image":{…}}
///
/// What a change lacks is `null`. The order of members is fixed, and no member is ever left out.
struct LineEncoder: ~Copyable {
    private let schema: TableSchema
    private var keys: KeyReader
    /// `{"table":"…","shard":`
    private let head: [UInt8]
    /// `{"pk":` and `,"sk":`, for keys that are picked out of an item.
    private let hashName: [UInt8]
    private let rangeName: [UInt8]
    // The last shard and time, encoded: most lines have those of the line before.
    private var shard: (key: ShardKey?, encoded: [UInt8])
    private var time: (value: Timestamp?, encoded: [UInt8])

    init(_ schema: TableSchema) {
        self.schema = schema
        keys = KeyReader(schema)
        head = Array("{\"table\":".utf8) + quoted(schema.name.text.utf8) + Array(",\"shard\":".utf8)
        hashName = [UInt8(ascii: "{")] + quoted(schema.hash.name) + [UInt8(ascii: ":")]
        rangeName = schema.range.map { [UInt8(ascii: ",")] + quoted($0.name) + [UInt8(ascii: ":")] } ?? []
        shard = (nil, null)
        time = (nil, null)
    }

    /// Appends one line for each change of `part`, in order.
    ///
    /// - Throws: what the key reader says, for a row of a scan without its keys.
    mutating func append(
        _ part: Batch.Part, of batch: borrowing Batch, to lines: inout [UInt8]
    ) throws(Failure) {
        // Outside a string a newline is white space, and inside one JSON has it escaped: dropping it changes nothing.
        // The service sends none, so looking once for each body is what this costs.
        let hasNewlines = contains(newline, part.body) || contains(carriageReturn, part.body)
        for change in part.changes {
            do throws(SimdjsonError) {
                try append(change, in: part.body, hasNewlines: hasNewlines, of: batch, to: &lines)
            } catch {
                throw Failure(change: change, reason: error)
            }
        }
    }

    /// A change that is no line.
    struct Failure: Error {
        let change: Change
        let reason: SimdjsonError
    }

    private mutating func append(
        _ change: Change, in body: [UInt8], hasNewlines: Bool, of batch: borrowing Batch, to lines: inout [UInt8]
    ) throws(SimdjsonError) {
        func splice(_ range: ByteRange, to lines: inout [UInt8]) {
            let bytes = body[range.range]
            if hasNewlines {
                lines.append(contentsOf: bytes.lazy.filter { $0 != newline && $0 != carriageReturn })
            } else {
                lines.append(contentsOf: bytes)
            }
        }
        lines += head
        lines += encoded(batch.shard)
        lines += sequenceNumberName
        if let number = change.sequenceNumber {
            lines.append(quote)
            lines += number.utf8
            lines.append(quote)
        } else {
            lines += null
        }
        lines += eventName
        lines += Array(change.kind.rawValue.utf8)
        lines += timeName
        lines += encoded(change.approximateTime)
        lines += keysName
        if change.kind == .snapshot {
            let key = try keys.key(in: change.keys, of: body)
            lines += hashName
            splice(key.hash.raw, to: &lines)
            if let range = key.range {
                lines += rangeName
                splice(range.raw, to: &lines)
            }
            lines.append(UInt8(ascii: "}"))
        } else {
            splice(change.keys, to: &lines)
        }
        lines += newImageName
        if let image = change.newImage { splice(image, to: &lines) } else { lines += null }
        lines += oldImageName
        if let image = change.oldImage { splice(image, to: &lines) } else { lines += null }
        lines.append(UInt8(ascii: "}"))
        lines.append(newline)
    }

    private mutating func encoded(_ shard: ShardKey?) -> [UInt8] {
        if self.shard.key != shard { self.shard = (shard, shard.map { quoted($0.shard.text.utf8) } ?? null) }
        return self.shard.encoded
    }

    private mutating func encoded(_ time: Timestamp?) -> [UInt8] {
        if self.time.value != time { self.time = (time, time.map { quoted($0.description.utf8) } ?? null) }
        return self.time.encoded
    }
}

private let newline = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
private let quote = UInt8(ascii: "\"")
private let null = Array("null".utf8)
private let sequenceNumberName = Array(",\"sequence_number\":".utf8)
private let eventName = Array(",\"event\":\"".utf8)
private let timeName = Array("\",\"approximate_time\":".utf8)
private let keysName = Array(",\"keys\":".utf8)
private let newImageName = Array(",\"new_image\":".utf8)
private let oldImageName = Array(",\"old_image\":".utf8)

private func contains(_ byte: UInt8, _ body: [UInt8]) -> Bool {
    unsafe body.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress else { return false }
        return unsafe memchr(start, Int32(byte), bytes.count) != nil
    }
}
