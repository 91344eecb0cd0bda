internal import StreamModel

/// Finds the next iterator in a GetRecords reply without parsing it, so that the next page can be asked for meanwhile.
///
/// `"NextShardIterator":"` can stand unescaped only at the top level: within an item a name is followed by an object,
/// and within a string a quote is escaped. So finding it is knowing it; not finding it is knowing nothing.
enum IteratorHint {
    /// The member stands before or behind the records, so only the reply's two ends are looked at.
    private static let window = 4096
    private static let name = Array("\"NextShardIterator\":".utf8)

    /// `nil` where anything is unusual: the member isn't near an end, is null, or has an escape in it.
    static func find(in body: [UInt8]) -> ShardIterator? {
        let span = body.span
        return find(inBeginning: span)
            ?? (span.count > window ? find(in: span, max(window - name.count, span.count - window)..<span.count) : nil)
    }

    /// The same, while only the beginning has arrived.
    static func find(inBeginning body: Span<UInt8>) -> ShardIterator? { find(in: body, 0..<min(window, body.count)) }

    private static func find(in body: Span<UInt8>, _ range: Range<Int>) -> ShardIterator? {
        var start = range.lowerBound
        while start + name.count < range.upperBound {
            guard body[start] == name[0], body[start + 1] == name[1], matches(body, at: start) else {
                start += 1
                continue
            }
            var index = start + name.count
            if body[index] == UInt8(ascii: " ") { index += 1 }
            // An item's attribute of that name: an object follows.
            guard index < body.count, body[index] != UInt8(ascii: "{") else {
                start = index
                continue
            }
            return token(in: body, at: index)
        }
        return nil
    }

    private static func matches(_ body: Span<UInt8>, at start: Int) -> Bool {
        for index in name.indices where body[start + index] != name[index] { return false }
        return true
    }

    /// A plain string that begins at `start`, 2048 characters at most (API Reference), after which the object goes on.
    private static func token(in body: Span<UInt8>, at start: Int) -> ShardIterator? {
        guard start < body.count, body[start] == UInt8(ascii: "\"") else { return nil }
        var characters: [UInt8] = []
        var index = start + 1
        while index < body.count, body[index] != UInt8(ascii: "\"") {
            guard (0x20..<0x7F).contains(body[index]), body[index] != UInt8(ascii: "\\"), characters.count < 2048
            else { return nil }
            characters.append(body[index])
            index += 1
        }
        guard index + 1 < body.count, !characters.isEmpty else { return nil }
        switch body[index + 1] {
        case UInt8(ascii: ","), UInt8(ascii: "}"): return ShardIterator(String(decoding: characters, as: UTF8.self))
        default: return nil
        }
    }
}
