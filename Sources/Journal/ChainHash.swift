internal import Crypto

/// Ties each value to the one before it: the first 16 bytes of SHA-256(previous hash ‖ value).
///
/// 128 bits find every accident and leave a forger with 2^64 tries for a collision; the event costs 16 bytes, not 32.
struct ChainHash: Hashable, Sendable {
    static let count = 16

    /// The hash before the first event, and over what stands by itself.
    static let zero = ChainHash(high: 0, low: 0)

    private let high: UInt64
    private let low: UInt64

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(_ bytes: some Sequence<UInt8>) {
        var (high, low): (UInt64, UInt64) = (0, 0)
        for (index, byte) in bytes.prefix(Self.count).enumerated() {
            if index < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
        self.init(high: high, low: low)
    }

    /// Puts this hash before `payload` and returns the hash over both.
    func chained(with payload: [UInt8]) -> ChainHash {
        var hasher = SHA256()
        hasher.update(data: bytes + payload)
        return ChainHash(hasher.finalize())
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.count)
        for word in [high, low] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        return bytes
    }
}
