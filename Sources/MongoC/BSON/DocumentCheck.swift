/// Looks through bytes that somebody else has made: whether each length stays within what it lies in, each type is one of BSON's,
/// each text is UTF-8. What has passed can be read without another look.
///
/// libbson's own (`bson_validate`) lets types pass that there are none of.
struct DocumentCheck {
    /// MongoDB's servers nest 100 documents at most.
    private static let maximumDepth = 200

    let bytes: [UInt8]

    /// All of the bytes are one document.
    func whole() throws(BSONError) {
        let end = try document(at: 0, within: bytes.count, depth: 0)
        guard end == bytes.count else {
            throw BSONError(reason: "it is \(end) bytes long, and there are \(bytes.count)")
        }
    }

    /// - Returns: where it ends.
    private func document(at start: Int, within limit: Int, depth: Int) throws(BSONError) -> Int {
        guard depth <= Self.maximumDepth else { throw BSONError(reason: "it nests too deep") }
        let end = start + (try length(at: start, atLeast: Document.emptyBytes, within: limit))
        guard end <= limit, bytes[end - 1] == 0 else { throw cutOff(at: start) }
        var place = start + 4
        while place < end - 1 {
            let type = bytes[place]
            place = try text(at: place + 1, within: end - 1)
            place = try value(type, at: place, within: end - 1, depth: depth)
        }
        return end
    }

    /// - Returns: where it ends.
    private func value(
        _ type: UInt8, at start: Int, within limit: Int, depth: Int
    ) throws(BSONError) -> Int {
        let end: Int
        switch type {
        case BSONType.undefined, BSONType.null, BSONType.minKey, BSONType.maxKey: end = start
        case BSONType.bool: end = start + 1
        case BSONType.int32: end = start + 4
        case BSONType.double, BSONType.date, BSONType.timestamp, BSONType.int64: end = start + 8
        case BSONType.objectID: end = start + ObjectID.byteCount
        case BSONType.decimal128: end = start + Decimal128.byteCount
        case BSONType.string, BSONType.code, BSONType.symbol: end = try string(at: start, within: limit)
        case BSONType.document, BSONType.array: return try document(at: start, within: limit, depth: depth + 1)
        case BSONType.codeWithScope:
            end = start + (try length(at: start, atLeast: 14, within: limit))
            guard end <= limit else { throw cutOff(at: start) }
            let scope = try string(at: start + 4, within: end)
            guard try document(at: scope, within: end, depth: depth + 1) == end else { throw cutOff(at: start) }
        case BSONType.binary: end = start + 5 + (try length(at: start, atLeast: 0, within: limit))
        case BSONType.dbPointer: end = try string(at: start, within: limit) + ObjectID.byteCount
        case BSONType.regex: end = try text(at: try text(at: start, within: limit), within: limit)
        default: throw BSONError(reason: "there is no type \(type), at byte \(start)")
        }
        guard end <= limit else { throw cutOff(at: start) }
        if type == BSONType.bool, bytes[start] > 1 { throw BSONError(reason: "a boolean is \(bytes[start])") }
        return end
    }

    /// With its length before and U+0000 behind it.
    private func string(at start: Int, within limit: Int) throws(BSONError) -> Int {
        let end = start + 4 + (try length(at: start, atLeast: 1, within: limit))
        guard end <= limit, bytes[end - 1] == 0 else { throw cutOff(at: start) }
        try checkUTF8(start + 4..<end - 1)
        return end
    }

    /// With U+0000 behind it.
    private func text(at start: Int, within limit: Int) throws(BSONError) -> Int {
        var end = start
        while end < limit, bytes[end] != 0 { end += 1 }
        guard end < limit else { throw cutOff(at: start) }
        try checkUTF8(start..<end)
        return end + 1
    }

    private func checkUTF8(_ range: Range<Int>) throws(BSONError) {
        do { _ = try UTF8Span(validating: bytes.span.extracting(range)) } catch {
            throw BSONError(reason: "a text is no UTF-8, at byte \(range.lowerBound)")
        }
    }

    /// 32 bits, the lowest byte first.
    private func length(at place: Int, atLeast least: Int, within limit: Int) throws(BSONError) -> Int {
        guard place + 4 <= limit else { throw cutOff(at: place) }
        var bits: UInt32 = 0
        for index in (0..<4).reversed() { bits = bits << 8 | UInt32(bytes[place + index]) }
        let length = Int(Int32(bitPattern: bits))
        guard length >= least else { throw BSONError(reason: "a length is \(length), at byte \(place)") }
        return length
    }

    private func cutOff(at place: Int) -> BSONError {
        BSONError(reason: "what begins at byte \(place) does not end where it says")
    }
}
