internal import Glibc

/// `write(2)`, whole.
enum DescriptorWriter {
    /// - Returns: the `errno` that ended it, or `nil` when everything was written.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
        var written = 0
        while written < bytes.count {
            // The array lives throughout the call, and no more of it is asked for than it has.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }

    static func text(of problem: Int32) -> String {
        guard let text = unsafe strerror(problem) else { return "error \(problem)" }
        return unsafe String(cString: text)
    }
}
