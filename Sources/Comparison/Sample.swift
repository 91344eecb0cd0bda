package import Targets

/// A share of a table's items: the same ones each time, and the same ones on both sides, since it goes by the key alone.
package struct Sample: Hashable, Sendable {
    package static let everything = Sample(share: 1)

    /// 0 up to 1.
    package let share: Double

    package init(share: Double) { self.share = share }

    package func has(_ key: CanonicalKey) -> Bool {
        guard share < 1 else { return true }
        // FNV-1a, and a finish that spreads its low bits: it must be the same in each process, which `Hasher` is not.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func take(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for byte in key.hash { take(byte) }
        if let range = key.range {
            take(0xff)
            for byte in range { take(byte) }
        }
        hash ^= hash >> 33
        hash = hash &* 0xff51_afd7_ed55_8ccd
        hash ^= hash >> 33
        return Double(hash >> 11) / Double(1 << 53) < share
    }
}
