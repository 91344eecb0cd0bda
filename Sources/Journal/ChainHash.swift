internal import Crypto

/// Ties each value to the one before it: the first 16 bytes of SHA-256(previous hash ‖ value).
///
/// 128 bits find every accident and leave a forger with 2^64 tries for a collision; the event costs 16 bytes, not 32.
struct ChainHash: Hashable, Sendable {
    static let count = 16

    /// The hash before the first event, and over what stands by itself.
    static let zero = ChainHash(high: 0, low: 0)

    /// The low end of each lies first.
    private let high: UInt64
    private let low: UInt64

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The hash that `value` begins with; zero if it is too short to begin with one.
    init(_ value: Span<UInt8>) {
        self = value.count < Self.count ? .zero : unsafe value.withUnsafeBytes { unsafe ChainHash(loading: $0) }
    }

    init(_ value: [UInt8]) { self.init(value.span) }

    /// Safe where `bytes` holds 16 of them; unaligned loads of them are what is asked for.
    private init(loading bytes: UnsafeRawBufferPointer) {
        high = unsafe UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        low = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// The hash after the one that `bytes` begins with, over what follows it there.
    init(over bytes: Span<UInt8>) {
        var hasher = SHA256()
        // Safe: the hasher reads what it is lent and keeps nothing of it.
        unsafe bytes.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
        self.init(finishing: hasher)
    }

    /// The hash over this one and what `value` holds after its own, without a copy of either.
    func chained(with value: Span<UInt8>) -> ChainHash {
        var hasher = SHA256()
        // Safe, as above.
        unsafe withUnsafeBytes(of: (high.littleEndian, low.littleEndian)) { unsafe hasher.update(bufferPointer: $0) }
        unsafe value.withUnsafeBytes {
            unsafe hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0.dropFirst(Self.count)))
        }
        return ChainHash(finishing: hasher)
    }

    private init(finishing hasher: SHA256) {
        self = unsafe hasher.finalize().withUnsafeBytes { unsafe ChainHash(loading: $0) }
    }

    /// Puts the hash over 16 bytes of what is written.
    func write(to writer: inout WireWriter, at start: Int) {
        writer.replace(at: start, with: high)
        writer.replace(at: start + 8, with: low)
    }
}
