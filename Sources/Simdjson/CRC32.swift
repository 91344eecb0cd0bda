internal import CSimdjson

/// CRC-32 as zlib's `crc32` (the polynomial 0xEDB88320), which `x-amz-crc32` holds of a reply's bytes.
package enum CRC32 {
    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            // An empty array may have no address; the sum of nothing is 0.
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe csj_crc32(base, buffer.count)
        }
    }
}
