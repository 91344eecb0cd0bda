/// Guards a value that is kept beside the log, and binds it to its key, so that two of them can't be taken for each other.
///
/// Not a cryptographic hash: every append makes one, and what it guards can be folded anew from the log, whose chain is one.
/// Each step is a bijection of the state and of the word that goes in, so damage within one word of 8 bytes is always
/// seen, and any other with all but one chance in 2^64 (docs/JOURNAL-FORMAT.md, 3.2).
struct Seal: Hashable {
    static let count = 8

    private let number: UInt64

    init(of value: Span<UInt8>, under key: Span<UInt8>) {
        number = Self.mix(value, into: Self.mix(key, into: 0))
    }

    /// The same under the key of a number, which is its 4 bytes, the big end first.
    init(of value: Span<UInt8>, under number: UInt32) {
        let key = Self.mix(UInt64(number.byteSwapped), into: Self.mix(4, into: 0))
        self.number = Self.mix(value, into: key)
    }

    /// What lies in the first bytes of `value`, which has them.
    init(readFrom value: Span<UInt8>) {
        number = Self.word(value, at: 0, count: Self.count)
    }

    func write(to writer: inout WireWriter) { writer.replace(at: 0, with: number) }

    private static func mix(_ bytes: Span<UInt8>, into state: UInt64) -> UInt64 {
        var state = mix(UInt64(bytes.count), into: state)
        for start in stride(from: 0, to: bytes.count, by: 8) {
            state = mix(word(bytes, at: start, count: min(8, bytes.count - start)), into: state)
        }
        return state
    }

    /// Both steps can be undone: an odd factor has an inverse, and so has a number xor its own upper half.
    private static func mix(_ word: UInt64, into state: UInt64) -> UInt64 {
        let product = (state ^ word) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 32
    }

    /// The low end first; zeros where fewer than 8 bytes are left.
    private static func word(_ bytes: Span<UInt8>, at start: Int, count: Int) -> UInt64 {
        if count == 8 {
            precondition(start >= 0 && start + 8 <= bytes.count)
            // Safe: checked just now, and any 8 bytes are a number.
            return unsafe bytes.withUnsafeBytes {
                unsafe UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            }
        }
        var word: UInt64 = 0
        for index in 0..<count { word |= UInt64(bytes[start + index]) << UInt64(8 * index) }
        return word
    }
}
