/// How values lie in LMDB: their hash or seal, then their bytes.
enum Sealed {
    /// Chains a value of the log to the one before it. `writer` holds its bytes from `start` on, after room for the hash.
    static func chain(_ writer: inout WireWriter, from start: Int, after previous: ChainHash) -> ChainHash {
        // What is hashed is the hash before and the event: they stand side by side until the event's own takes the place.
        previous.write(to: &writer, at: start)
        let hash = writer.withBytes(in: start..<writer.count) { ChainHash(over: $0) }
        hash.write(to: &writer, at: start)
        return hash
    }

    /// Seals a value beside the log. `writer` holds its bytes, and nothing else, after room for the seal.
    static func seal(_ writer: inout WireWriter, under key: [UInt8]) {
        seal(&writer) { Seal(of: $0, under: key.span) }
    }

    static func seal(_ writer: inout WireWriter, under ordinal: UInt32) {
        seal(&writer) { Seal(of: $0, under: ordinal) }
    }

    private static func seal(_ writer: inout WireWriter, _ make: (Span<UInt8>) -> Seal) {
        writer.withBytes(in: Seal.count..<writer.count, make).write(to: &writer)
    }

    /// `nil` where the value is not what was sealed.
    static func open(_ value: [UInt8], under key: [UInt8]) -> [UInt8]? {
        guard value.count >= Seal.count else { return nil }
        let bytes = value.span.extracting(droppingFirst: Seal.count)
        guard Seal(of: bytes, under: key.span) == Seal(readFrom: value.span) else { return nil }
        return Array(value[Seal.count...])
    }
}
