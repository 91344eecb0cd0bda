/// How values lie in LMDB: their hash, then their bytes.
enum Sealed {
    /// A value of the log, chained to the one before it.
    static func seal(_ bytes: [UInt8], after previous: ChainHash) -> (value: [UInt8], hash: ChainHash) {
        let hash = previous.chained(with: bytes)
        return (hash.bytes + bytes, hash)
    }

    /// A value beside the log, bound to its key, so that two of them can't be taken for each other.
    static func seal(_ bytes: [UInt8], under key: [UInt8]) -> [UInt8] {
        ChainHash.zero.chained(with: key + bytes).bytes + bytes
    }

    /// `nil` where the value is not what was sealed.
    static func open(_ value: [UInt8], under key: [UInt8]) -> [UInt8]? {
        guard value.count >= ChainHash.count else { return nil }
        let bytes = Array(value[ChainHash.count...])
        return ChainHash.zero.chained(with: key + bytes) == ChainHash(value) ? bytes : nil
    }
}
