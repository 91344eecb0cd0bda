internal import StreamModel

/// Where the durable lines of a file end, and what stands right before: `<offset>:<count>:<hash>`.
///
/// The hash is over the last `count` bytes before the offset, so that a token of one file doesn't fit another one that
/// happens to be as long: a file that was replaced, rotated or edited is found out, one that was copied is not refused.
struct FileToken: Equatable, Comparable {
    /// Bytes from the file's start.
    let offset: Int
    let count: Int
    let hash: UInt64

    /// Bytes that a hash looks at, at most.
    static let window = 4096

    /// The token at `offset`, after `tail`: the bytes that end there.
    init(offset: Int, tail: ArraySlice<UInt8>) {
        let tail = tail.suffix(Self.window)
        self.offset = offset
        count = tail.count
        hash = Self.hash(tail)
    }

    /// `nil` for what this target has not written.
    init?(_ token: TargetToken) {
        let fields = token.text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 3, let offset = Int(fields[0]), let count = Int(fields[1]),
            let hash = UInt64(fields[2], radix: 16), (0...Self.window).contains(count), offset >= count
        else { return nil }
        self.offset = offset
        self.count = count
        self.hash = hash
    }

    var token: TargetToken { TargetToken("\(offset):\(count):\(String(hash, radix: 16))") }

    func fits(_ tail: [UInt8]) -> Bool { tail.count == count && Self.hash(tail[...]) == hash }

    static func < (a: FileToken, b: FileToken) -> Bool { a.offset < b.offset }

    /// FNV-1a, 64 bits: it tells files apart, and guards against nobody.
    private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
