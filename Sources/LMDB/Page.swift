internal import Glibc

/// Bytes of the file, and the numbers in them, which lie as this machine has them.
struct Page: Equatable {
    let bytes: ArraySlice<UInt8>

    /// The two that LMDB begins with, as far as they can be read.
    static func metas(_ file: Int32) -> [Page] {
        guard let first = Page(file, at: 0, count: 152) else { return [] }
        guard let second = Page(file, at: UInt64(first.number32(40)), count: 152) else { return [first] }
        return [first, second]
    }

    /// `nil` where the file is shorter.
    init?(_ file: Int32, at offset: UInt64, count: Int) {
        guard offset < 1 << 62, count >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = unsafe bytes.withUnsafeMutableBytes {
                unsafe pread(
                    file, $0.baseAddress.map { unsafe $0 + filled }, count - filled, off_t(offset) + off_t(filled))
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { return nil }
            filled += got
        }
        self.bytes = bytes[...]
    }

    private init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    var count: Int { bytes.count }

    func piece(_ range: Range<Int>) -> Page {
        Page(bytes[range.lowerBound + bytes.startIndex..<range.upperBound + bytes.startIndex])
    }

    func text(_ range: Range<Int>) -> String { String(decoding: piece(range).bytes, as: UTF8.self) }

    /// As LMDB orders keys: bytes from the first, and of two that begin alike the shorter one; numbers from the highest byte
    /// (mdb.c, `mdb_cmp_memn`, `mdb_cmp_cint`).
    func isBefore(_ other: Page, _ areNumbers: Bool) -> Bool {
        guard areNumbers, 1.littleEndian == 1 else { return bytes.lexicographicallyPrecedes(other.bytes) }
        return bytes.reversed().lexicographicallyPrecedes(other.bytes.reversed())
    }

    func number16(_ place: Int) -> Int { Int(load(place, as: UInt16.self)) }
    func number32(_ place: Int) -> Int { Int(load(place, as: UInt32.self)) }
    func number64(_ place: Int) -> UInt64 { load(place, as: UInt64.self) }

    private func load<T: FixedWidthInteger>(_ place: Int, as type: T.Type) -> T {
        precondition(place >= 0 && place + MemoryLayout<T>.size <= bytes.count)
        // Safe: checked just now, and any bytes are a number.
        return unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: place, as: type) }
    }
}
