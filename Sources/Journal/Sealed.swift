/// How values lie in LMDB: their hash, then their bytes.
enum Sealed {
    /// A value of the log, chained to the one before it: `bytes` from `start` on, where room for the hash comes first.
    static func seal(_ bytes: inout [UInt8], from start: Int = 0, after previous: ChainHash) -> ChainHash {
        let hash = previous.chained(with: bytes, from: start + ChainHash.count)
        hash.write(to: &bytes, at: start)
        return hash
    }

    /// A value beside the log, bound to its key, so that two of them can't be taken for each other.
    static func seal(_ value: inout [UInt8], under key: [UInt8]) {
        hash(of: value, under: key).write(to: &value)
    }

    /// Room for a hash, and `bytes`.
    static func unsealed(_ bytes: [UInt8]) -> [UInt8] {
        var value: [UInt8] = []
        value.reserveCapacity(ChainHash.count + bytes.count)
        for _ in 0..<ChainHash.count { value.append(0) }
        value.append(contentsOf: bytes)
        return value
    }

    /// `nil` where the value is not what was sealed.
    static func open(_ value: [UInt8], under key: [UInt8]) -> [UInt8]? {
        guard value.count >= ChainHash.count, hash(of: value, under: key) == ChainHash(value) else { return nil }
        return Array(value[ChainHash.count...])
    }

    private static func hash(of value: [UInt8], under key: [UInt8]) -> ChainHash {
        ChainHash.zero.chained(with: key).chained(with: value, from: ChainHash.count)
    }
}
