internal import Glibc

/// Standard output, a buffer at a time, so that a long history is not a system call a line.
final class StandardOutput {
    private static let capacity = 64 << 10

    private var buffer: [UInt8] = []

    /// What was written before an error is shown all the same.
    deinit { _ = DescriptorWriter.write(buffer, to: STDOUT_FILENO) }

    /// - Throws: `.outputClosed` when whoever read has gone (`| head`): there is nothing left to do, and no error to
    ///   tell; `.output` for anything else, such as a full disk.
    func line(_ text: String) throws(ShakectlError) {
        buffer.append(contentsOf: text.utf8)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.capacity { try flush() }
    }

    /// Whoever read a pipe has gone (`| head -1`), which a command with nothing to write would else never learn.
    var hasLostItsReader: Bool {
        var watched = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return unsafe poll(&watched, 1, 0) > 0 && watched.revents & Int16(POLLERR) != 0
    }

    func lines(_ lines: [String]) throws(ShakectlError) {
        for text in lines { try line(text) }
    }

    func flush() throws(ShakectlError) {
        defer { buffer.removeAll(keepingCapacity: true) }
        if let problem = DescriptorWriter.write(buffer, to: STDOUT_FILENO) {
            throw problem == EPIPE ? .outputClosed : .output(reason: DescriptorWriter.text(of: problem))
        }
    }
}
