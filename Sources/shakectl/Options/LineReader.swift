internal import Glibc

/// Lines of a file or of standard input, one at a time, whatever its size.
final class LineReader {
    /// For messages.
    let name: String
    /// Of the line that was given last, from 1.
    private(set) var count = 0

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// What of the buffer was given already.
    private var start = 0
    private var isAtEnd = false

    private static let chunk = 1 << 20
    /// Far more than an entry of a journal has, and what a small machine has the memory for.
    static let longest = 64 << 20

    /// - Throws: `.cannotRead`.
    init(_ file: String) throws(ShakectlError) {
        name = file == "-" ? "standard input" : file
        descriptor = file == "-" ? STDIN_FILENO : unsafe open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .cannotRead(path: file, reason: DescriptorWriter.text(of: errno), isMissing: errno == ENOENT)
        }
    }

    deinit { if descriptor > STDIN_FILENO { _ = close(descriptor) } }

    /// The next line without its end; `nil` at the end.
    func next() throws(ShakectlError) -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) { return take(upTo: end, skipping: 1) }
            searched = buffer.count
            guard !isAtEnd else { return start < buffer.count ? take(upTo: buffer.count, skipping: 0) : nil }
            guard buffer.count - start < Self.longest else {
                throw .badLine(
                    file: name, line: count + 1,
                    problem: "it has no end within \(Self.longest >> 20) MiB: it is no export")
            }
            searched -= start
            buffer.removeFirst(start)
            start = 0
            try fill()
        }
    }

    private func take(upTo end: Int, skipping: Int) -> [UInt8] {
        defer { start = end + skipping }
        count += 1
        return Array(buffer[start..<end])
    }

    private func fill() throws(ShakectlError) {
        var chunk = [UInt8](repeating: 0, count: Self.chunk)
        while true {
            // The array lives throughout the call, and no more of it is asked for than it has.
            let got = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                throw .cannotRead(path: name, reason: DescriptorWriter.text(of: errno), isMissing: false)
            }
            if got == 0 { isAtEnd = true }
            buffer += chunk[..<got]
            return
        }
    }
}
