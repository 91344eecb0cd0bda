internal import Crypto

/// Ties each value to the one before it: the first 16 bytes of SHA-256(previous hash ‖ value).
///
/// 128 bits find every accident and leave a forger with 2^64 tries for a collision; the event costs 16 bytes, not 32.
struct ChainHash: Hashable, Sendable {
    static let count = 16

    /// The hash before the first event, and over what stands by itself.
    static let zero = ChainHash(high: 0, low: 0)

    /// As they lie in memory, first byte first.
    private let high: UInt64
    private let low: UInt64

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The hash that `value` begins with; zero if it is too short to begin with one.
    init(_ value: [UInt8]) { self.init(value.span) }

    /// The same, in place.
    init(_ value: Span<UInt8>) {
        guard value.count >= Self.count else {
            self = .zero
            return
        }
        // Safe: 16 bytes are there, and unaligned loads of them are what is asked for.
        (high, low) = unsafe value.withUnsafeBytes { bytes in
            unsafe (
                bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
    }

    /// The hash over this one and what `value` holds from `offset` on.
    func chained(with value: [UInt8], from offset: Int = 0) -> ChainHash {
        chained(with: value.span.extracting(droppingFirst: offset))
    }

    /// The hash over this one and `value`, without a copy of either.
    func chained(with value: Span<UInt8>) -> ChainHash {
        var hasher = SHA256()
        // Safe: the hasher reads what it is lent and keeps nothing of it.
        unsafe withUnsafeBytes(of: (high, low)) { unsafe hasher.update(bufferPointer: $0) }
        unsafe value.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
        return unsafe hasher.finalize().withUnsafeBytes { bytes in
            unsafe ChainHash(
                high: bytes.loadUnaligned(as: UInt64.self),
                low: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }

    /// Puts the hash over the 16 bytes of `value` that begin at `offset`.
    func write(to value: inout [UInt8], at offset: Int = 0) {
        precondition(value.count - offset >= Self.count, "a sealed value begins with room for its hash")
        unsafe value.withUnsafeMutableBytes { bytes in
            unsafe bytes.storeBytes(of: high, toByteOffset: offset, as: UInt64.self)
            unsafe bytes.storeBytes(of: low, toByteOffset: offset + 8, as: UInt64.self)
        }
    }
}
