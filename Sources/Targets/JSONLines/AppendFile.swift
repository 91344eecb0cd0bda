internal import Glibc

/// A file that grows at its end, held by one process.
///
/// Bytes up to `durableEnd` are on the disk. What lies behind it comes of a write that failed, and is cut off before
/// the next one.
final class AppendFile {
    private let descriptor: Int32
    private let path: TargetPath
    private let identity: FileIdentity
    /// Bytes from the file's start.
    private(set) var durableEnd: Int
    private var end: Int

    enum Failure: Error, Equatable {
        case system(SystemError)
        /// Another process holds the file.
        case held
        /// The path names another file now, or none.
        case moved
        /// Somebody else has changed the file's length.
        case resized(expected: Int, found: Int)
    }

    /// Opens the file, which must exist, and takes the lock that keeps other processes of ours away.
    init(_ path: TargetPath) throws(Failure) {
        self.path = path
        descriptor = unsafe Glibc.open(path.text, O_RDWR | O_CLOEXEC)
        durableEnd = 0
        end = 0
        var status = stat()
        guard descriptor >= 0, unsafe fstat(descriptor, &status) == 0 else {
            identity = FileIdentity(status)
            throw .system(.last("open \(path)"))
        }
        identity = FileIdentity(status)
        durableEnd = Int(status.st_size)
        end = durableEnd
        // The kernel lets go of it when the process ends, however it ends.
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            throw errno == EWOULDBLOCK ? .held : .system(.last("flock \(path)"))
        }
    }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    /// The `count` bytes that end at `offset`; fewer where the file is shorter.
    func read(_ count: Int, upTo offset: Int) throws(Failure) -> [UInt8] {
        var failure: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let rest = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let result = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset - count + filled))
                if result < 0, errno == EINTR { continue }
                if result < 0 { failure = .last("read \(path)") }
                if result <= 0 { return }
                filled += result
            }
        }
        if let failure { throw .system(failure) }
        return bytes
    }

    /// Refuses to go on in a file that isn't as it was left: what is written there would be lost, or torn.
    func check() throws(Failure) {
        guard FileIdentity.at(path.text) == identity else { throw .moved }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system(.last("stat \(path)")) }
        // Only what this process left there may be longer, and nothing may be shorter: cutting would fill in zeros.
        let (found, hasFailed) = (Int(status.st_size), end != durableEnd)
        guard found == durableEnd || (hasFailed && found > durableEnd) else {
            throw .resized(expected: durableEnd, found: found)
        }
        if hasFailed { try cutBack(to: durableEnd) }
    }

    /// Appends all of `bytes`; durable only after `synchronise()`.
    func append(_ bytes: [UInt8]) throws(Failure) {
        let start = end
        var written = 0
        while written < bytes.count {
            let result = unsafe bytes.withUnsafeBytes {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: $0[written...])
                return unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(start + written))
            }
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { throw .system(.last("write \(path)")) }
            written += result
            end = start + written
        }
    }

    func synchronise() throws(Failure) {
        // After a failure the kernel may hold pages clean that never reached the disk, so that trying the fsync again
        // proves nothing: the caller writes the bytes again from `durableEnd`.
        guard fdatasync(descriptor) == 0 else { throw .system(.last("fdatasync \(path)")) }
        durableEnd = end
    }

    /// Durably forgets what lies behind `offset`.
    func cutBack(to offset: Int) throws(Failure) {
        guard ftruncate(descriptor, off_t(offset)) == 0, fdatasync(descriptor) == 0 else {
            throw .system(.last("truncate \(path)"))
        }
        durableEnd = offset
        end = offset
    }
}
