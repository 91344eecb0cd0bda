internal import StreamModel

/// Writes protocol buffers' wire format by hand, for the messages that every append encodes, one after the other into one
/// growing buffer.
///
/// The generated code builds a class for a message and encodes it in several passes: 500 ns, where these take 80. What is
/// written is the same; a test compares the two, field by field.
struct WireWriter {
    /// Grown in large steps and never shrunk; what is written ends at `count`.
    private var storage: [UInt8]
    private(set) var count = 0

    init(capacity: Int = 4096) { storage = [UInt8](repeating: 0, count: capacity) }

    var written: [UInt8] { Array(storage[..<count]) }

    /// Lends what is written in `range`.
    func withBytes<R, E: Error>(in range: Range<Int>, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        precondition(range.upperBound <= count, "only what is written is lent")
        return try body(storage.span.extracting(range))
    }

    /// Forgets what was written from `count` on.
    mutating func truncate(to count: Int) { self.count = min(count, self.count) }

    // MARK: - Fields

    /// A field that is 0 is not written (proto3).
    mutating func number(_ field: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        varints(field << 3, value)
    }

    mutating func number(_ field: UInt64, _ value: Int64) { number(field, UInt64(bitPattern: value)) }

    mutating func flag(_ field: UInt64, _ value: Bool) { number(field, value ? 1 : UInt64(0)) }

    /// An `optional` field is written even where it is 0.
    mutating func optional(_ field: UInt64, _ value: Int64?) {
        guard let value else { return }
        varints(field << 3, UInt64(bitPattern: value))
    }

    mutating func text(_ field: UInt64, _ value: String) {
        guard !value.isEmpty else { return }
        optional(field, value)
    }

    mutating func optional(_ field: UInt64, _ value: String?) {
        guard let value else { return }
        let utf8 = value.utf8.span
        varints(field << 3 | 2, UInt64(utf8.count))
        append(utf8)
    }

    mutating func number(_ field: UInt64, _ value: SequenceNumber?) {
        guard let value else { return }
        varints(field << 3 | 2, UInt64(value.count))
        let start = skip(value.count)
        var span = storage.mutableSpan
        value.write(to: &span, at: start)
    }

    mutating func message(_ field: UInt64, _ body: (inout WireWriter) -> Void) {
        let beginning = count
        varints(field << 3 | 2, 0)  // most are shorter than 128 bytes, whose length is one byte
        let start = count
        body(&self)
        let length = count - start
        guard length > 127 else {
            storage[start - 1] = UInt8(length)
            return
        }
        let content = Array(storage[start..<count])
        count = beginning
        varints(field << 3 | 2, UInt64(length))
        append(content.span)
    }

    // MARK: - Bytes

    /// Leaves room for `length` bytes, and says where.
    @discardableResult
    mutating func skip(_ length: Int) -> Int {
        reserve(length)
        defer { count += length }
        return count
    }

    /// Puts `word` over the 8 bytes from `start` on, the low end first.
    mutating func replace(at start: Int, with word: UInt64) {
        precondition(start + 8 <= count, "only what is written is replaced")
        var span = storage.mutableSpan
        for index in 0..<8 { span[start + index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * index)) }
    }

    mutating func append(_ bytes: Span<UInt8>) {
        let start = skip(bytes.count)
        var span = storage.mutableSpan
        for index in bytes.indices { span[start + index] = bytes[index] }
    }

    /// A tag, and the number or length that goes with it.
    private mutating func varints(_ tag: UInt64, _ value: UInt64) {
        reserve(20)
        let start = count
        var span = storage.mutableSpan
        count = Self.put(value, in: &span, at: Self.put(tag, in: &span, at: start))
    }

    /// - Returns: where the number ends.
    @inline(__always)
    private static func put(_ number: UInt64, in span: inout MutableSpan<UInt8>, at start: Int) -> Int {
        var (rest, next) = (number, start)
        while rest > 127 {
            span[next] = UInt8(truncatingIfNeeded: rest) | 0x80
            rest >>= 7
            next += 1
        }
        span[next] = UInt8(truncatingIfNeeded: rest)
        return next + 1
    }

    private mutating func reserve(_ length: Int) {
        guard storage.count - count < length else { return }
        storage.append(contentsOf: repeatElement(0, count: max(storage.count, length)))
    }
}
