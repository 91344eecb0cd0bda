internal import StreamModel

/// Reads protocol buffers' wire format by hand: the counterpart of `WireWriter`, for the event that a log is full of.
///
/// Whatever it doesn't expect is `nil`, and the generated code decides.
///
/// Holds a place only: the bytes are lent with each call, so that they may lie in LMDB's pages.
struct WireReader {
    private var next: Int
    private let end: Int

    init(_ range: Range<Int>) {
        next = range.lowerBound
        end = range.upperBound
    }

    enum Value {
        case number(UInt64)
        case bytes(Range<Int>)
    }

    var isAtEnd: Bool { next == end }

    /// The next field; `nil` where the bytes hold none that this reader knows.
    mutating func field(of bytes: Span<UInt8>) -> (number: UInt64, value: Value)? {
        guard let tag = varint(bytes) else { return nil }
        switch tag & 7 {
        case 0:
            guard let value = varint(bytes) else { return nil }
            return (tag >> 3, .number(value))
        case 2:
            guard let count = varint(bytes), count <= UInt64(end - next) else { return nil }
            defer { next += Int(count) }
            return (tag >> 3, .bytes(next..<next + Int(count)))
        default: return nil
        }
    }

    private mutating func varint(_ bytes: Span<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while next < end, shift < 64 {
            let byte = bytes[next]
            next += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
