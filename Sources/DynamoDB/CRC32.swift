/// CRC-32 as zlib's `crc32` (the polynomial 0xEDB88320), which `x-amz-crc32` holds of a reply's bytes.
///
/// Eight bytes a step ("slicing by 8", M. Kounavis and F. Berry, 2005).
enum CRC32 {
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        let tables = Self.tables
        var crc: UInt32 = 0xFFFF_FFFF
        var index = 0
        let span = bytes.span
        while index + 8 <= span.count {
            let low =
                crc
                ^ (UInt32(span[index]) | UInt32(span[index + 1]) << 8 | UInt32(span[index + 2]) << 16
                    | UInt32(span[index + 3]) << 24)
            crc =
                tables[0x700 | Int(low & 0xFF)] ^ tables[0x600 | Int(low >> 8 & 0xFF)]
                ^ tables[0x500 | Int(low >> 16 & 0xFF)] ^ tables[0x400 | Int(low >> 24)]
                ^ tables[0x300 | Int(span[index + 4])] ^ tables[0x200 | Int(span[index + 5])]
                ^ tables[0x100 | Int(span[index + 6])] ^ tables[Int(span[index + 7])]
            index += 8
        }
        while index < span.count {
            crc = crc >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: crc) ^ span[index])]
            index += 1
        }
        return ~crc
    }

    /// Eight tables of 256 entries, one after the other.
    private static let tables: [UInt32] = {
        var tables = (0..<256).map { index -> UInt32 in
            (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        for index in 256..<2048 {
            let previous = tables[index - 256]
            tables.append(previous >> 8 ^ tables[Int(previous & 0xFF)])
        }
        return tables
    }()
}
