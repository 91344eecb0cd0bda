internal import CSimdjson
package import StreamModel

/// Reads items, objects of attribute values, into flat rows of tokens, in one walk and without an allocation for a value.
///
/// It owns a parser, so it serves one thread at a time; the compiler sees to that, for it can't be copied.
package struct ItemReader: ~Copyable {
    private var parser = Parser()

    package init() {}

    /// Lends the item at `object`, a place in `body`, to `use`: its tokens, of which the first is the item itself, and the texts
    /// that their ranges lie in.
    ///
    /// - Throws: for what is no item: a value without exactly one type of DynamoDB's, a NULL that isn't true, base64 that is none, and
    ///   what isn't JSON. Numbers are not looked at. Of attributes given twice the later holds.
    package mutating func read<R>(
        _ object: ByteRange, of body: [UInt8],
        _ use: (_ tokens: Span<ItemToken>, _ texts: Span<UInt8>) throws(SimdjsonError) -> R
    ) throws(SimdjsonError) -> R {
        unsafe try parser.with(object.range, of: body) { parser, bytes, count, _ throws(SimdjsonError) in
            var item = unsafe csj_item()
            let status = unsafe csj_read_item(parser, bytes, count, &item)
            if let error = unsafe SimdjsonError(status, bytes: count, item: item) { throw error }
            // An `ItemToken` is a `csj_token` and nothing else, so a row of the one is a row of the other.
            let first = unsafe UnsafeRawPointer(item.tokens)?.assumingMemoryBound(to: ItemToken.self)
            let tokens = unsafe UnsafeBufferPointer(start: first, count: item.count)
            let texts = unsafe UnsafeBufferPointer(start: item.texts, count: item.text_count)
            return unsafe try use(tokens.span, texts.span)
        }
    }
}

extension SimdjsonError {
    fileprivate init?(_ status: csj_status, bytes: Int, item: csj_item) {
        guard unsafe status.problem != CSJ_OK else { return nil }
        let path = unsafe String(
            decoding: UnsafeRawBufferPointer(start: item.path, count: item.path_count), as: UTF8.self)
        let detail = unsafe status.detail.map { unsafe String(cString: $0) } ?? "can't be read"
        switch unsafe status.problem {
        case CSJ_BAD_VALUE: self = .badValue(path: path, problem: detail)
        case CSJ_MALFORMED where !path.isEmpty: self = .badValue(path: path, problem: "is malformed JSON: \(detail)")
        default: unsafe self.init(status, bytes: bytes)
        }
    }
}
