internal import Glibc
internal import Synchronization

/// `dead-letters.jsonl`: what the target can't hold, one line each, added and never changed.
///
/// The journal says which of them wait and where each begins. A line that no event names is of a daemon that was killed
/// between the two, and comes again.
package final class DeadLetterFile: Sendable {
    package static let name = "dead-letters.jsonl"

    package let path: String
    private let turn = Mutex(())

    package init(_ path: String) { self.path = path }

    /// Adds a line, and returns when it is durable: where it begins.
    ///
    /// - Throws: `.unavailable` or `.misconfigured`, as of a target.
    package func append(_ line: [UInt8]) throws(TargetError) -> UInt64 {
        do throws(SystemError) {
            return try turn.withLock { _ throws(SystemError) in try write(line) }
        } catch {
            throw TargetError(error, target: path)
        }
    }

    private func write(_ line: [UInt8]) throws(SystemError) -> UInt64 {
        let isNew = unsafe access(path, F_OK) != 0
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .last("open") }
        defer { Glibc.close(file) }
        let end = lseek(file, 0, SEEK_END)
        guard end >= 0 else { throw .last("lseek") }
        do throws(SystemError) {
            try write(line, to: file, at: end)
            if fdatasync(file) != 0 { throw .last("fdatasync") }
        } catch {
            // A part of a line would spoil the one after it.
            ftruncate(file, end)
            throw error
        }
        if isNew { try synchroniseFolder() }
        return UInt64(end)
    }

    private func write(_ line: [UInt8], to file: Int32, at start: Int) throws(SystemError) {
        var done = 0
        while done < line.count {
            let written = unsafe line.withUnsafeBytes {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: $0[done...])
                return unsafe pwrite(file, rest.baseAddress, rest.count, start + done)
            }
            if written > 0 { done += written } else if errno != EINTR { throw .last("write") }
        }
    }

    private func synchroniseFolder() throws(SystemError) {
        let folder = unsafe open(
            path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/.",
            O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .last("open") }
        defer { Glibc.close(folder) }
        if fsync(folder) != 0 { throw .last("fsync") }
    }

    /// A line without its end, as it was added; `nil` where the file has none there.
    package func line(at offset: UInt64, count: UInt64) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0, let start = Int(exactly: offset), count <= 64 << 20 else { return nil }
        defer { Glibc.close(file) }
        var bytes = [UInt8](repeating: 0, count: Int(count))
        let read = unsafe bytes.withUnsafeMutableBytes { unsafe pread(file, $0.baseAddress, $0.count, start) }
        guard read == bytes.count, bytes.last == UInt8(ascii: "\n") else { return nil }
        bytes.removeLast()
        return bytes
    }
}
