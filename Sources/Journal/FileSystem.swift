internal import Glibc
internal import StreamModel

/// What the journal must know of the disk that it lies on.
enum FileSystem {
    /// The names of file systems over a network, where a memory map and a file's lock mean little (lmdb.h: "do not use LMDB
    /// databases on remote filesystems"). Numbers from statfs(2) and the kernel's magic.h.
    static func networkName(magic: UInt32) -> String? {
        switch magic {
        case 0x6969: "nfs"
        case 0x517B: "smb"
        case 0xFE53_4D42: "smb2"
        case 0xFF53_4D42: "cifs"
        case 0x0102_1997: "9p"
        case 0x5346_414F, 0x6B41_4653: "afs"
        case 0x00C3_6400: "ceph"
        case 0x7375_7245: "coda"
        case 0x0BD0_0BD0: "lustre"
        case 0x0116_1970: "gfs2"
        case 0x7461_636F: "ocfs2"
        default: nil
        }
    }

    enum Kind: Hashable, Sendable {
        case missing
        case emptyFolder
        case folder(files: Set<String>)
        case other
        case unreadable(String)
    }

    static func kind(of path: String) -> Kind {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else {
            return errno == ENOENT || errno == ENAMETOOLONG ? .missing : .unreadable(reason(errno))
        }
        guard facts.st_mode & S_IFMT == S_IFDIR else { return .other }
        guard let folder = unsafe opendir(path) else { return .unreadable(reason(errno)) }
        defer { unsafe closedir(folder) }
        var files: Set<String> = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { files.insert(name) }
        }
        return files.isEmpty ? .emptyFolder : .folder(files: files)
    }

    /// Which file a name stands for: another one may have it later.
    struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    /// `nil` where there is none, or nobody may look.
    static func identity(of path: String) -> Identity? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return nil }
        return Identity(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
    }

    /// Of an open file or folder.
    static func identity(of descriptor: Int32) -> Identity? {
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0 else { return nil }
        return Identity(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
    }

    /// Whether a journal's folder and its data are writable.
    static func canWrite(all journal: String) -> Bool { canWrite(journal) && canWrite(journal + "/data.mdb") }

    static func canWrite(_ path: String) -> Bool { unsafe access(path, W_OK) == 0 }

    /// Makes a folder that only its owner may enter, whatever the umask.
    static func makeFolder(_ path: String) -> String? {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { return reason(errno) }
        return unsafe chmod(path, 0o700) == 0 ? nil : reason(errno)
    }

    /// Removes the folder of an LMDB environment, with what LMDB keeps in it.
    static func removeEnvironment(_ path: String) -> String? {
        for file in ["data.mdb", "lock.mdb"] {
            guard unsafe unlink("\(path)/\(file)") == 0 || errno == ENOENT else { return reason(errno) }
        }
        return unsafe rmdir(path) == 0 || errno == ENOENT ? nil : reason(errno)
    }

    /// Makes what was made in a folder survive a loss of power: LMDB syncs its file, and not the folder that names it.
    static func syncFolder(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return reason(errno) }
        defer { _ = close(descriptor) }
        // EINVAL: a file system that has nothing to sync in a folder.
        return fsync(descriptor) == 0 || errno == EINVAL ? nil : reason(errno)
    }

    /// Empties a file of at most two pages that holds nothing but zeroes, as a loss of power may leave a new one.
    static func emptyIfBlank(_ path: String) {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8193)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard (1...8192).contains(count), bytes.allSatisfy({ $0 == 0 }) else { return }
        _ = ftruncate(descriptor, 0)
    }

    /// Of an open file.
    static func length(of descriptor: Int32) -> UInt64 {
        var facts = stat()
        return unsafe fstat(descriptor, &facts) == 0 ? UInt64(max(0, facts.st_size)) : 0
    }

    /// Copies a file that is only added to, up to the end of its last line, and makes that durable. No file is copied as none.
    ///
    /// - Returns: what kept it from that.
    static func copyLines(from path: String, to copy: String) -> String? {
        let source = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { return errno == ENOENT ? nil : reason(errno) }
        defer { _ = close(source) }
        let target = unsafe open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { return reason(errno) }
        defer { _ = close(target) }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var (written, end) = (off_t(0), off_t(0))
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(source, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return reason(errno) }
            if count == 0 { break }
            var done = 0
            while done < count {
                let put = unsafe chunk.withUnsafeBytes {
                    unsafe write(target, $0.baseAddress.map { unsafe $0 + done }, count - done)
                }
                if put < 0, errno == EINTR { continue }
                guard put >= 0 else { return reason(errno) }
                done += put
            }
            if let last = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) { end = written + off_t(last) + 1 }
            written += off_t(count)
        }
        guard ftruncate(target, end) == 0, fsync(target) == 0 else { return reason(errno) }
        return nil
    }

    static func restrict(_ path: String) { unsafe chmod(path, 0o600) }

    static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
