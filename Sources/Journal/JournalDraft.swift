internal import Glibc
internal import StreamModel

/// The folder of a journal that is being written: it lies beside the place where the journal is to be, and gets that name once
/// it is whole. So a kill leaves no journal that only looks like one.
///
/// Held against another command that would write the same, by a lock that ends with the process.
final class JournalDraft: Sendable {
    /// Where the journal is to be.
    let destination: String
    /// Where it is written.
    let path: String
    private let descriptor: Int32

    /// - Throws: `.exists` where there is something at `destination`, other than an empty folder; `.busy` where another command
    ///   writes there; `.cannotCreate`.
    init(_ destination: String) throws(JournalError) {
        var name = destination
        while name.count > 1, name.hasSuffix("/") { name.removeLast() }
        self.destination = name
        path = name + ".incomplete"
        switch FileSystem.kind(of: name) {
        case .missing, .emptyFolder: break
        case .folder(let files):
            throw .exists(path: name, what: files.contains("data.mdb") ? "a journal" : "a folder with files")
        case .other: throw .exists(path: name, what: "a file")
        case .unreadable(let reason): throw .cannotCreate(path: name, reason: reason)
        }
        if let reason = FileSystem.makeFolder(path) { throw .cannotCreate(path: path, reason: reason) }
        descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotCreate(path: path, reason: FileSystem.reason(errno)) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw .busy(path: path, holder: "another command writes it")
        }
        // What a killed command has left.
        guard case .folder(let files) = FileSystem.kind(of: path) else { return }
        for file in files {
            guard unsafe unlink("\(path)/\(file)") == 0 else {
                throw .cannotCreate(path: "\(path)/\(file)", reason: FileSystem.reason(errno))
            }
        }
    }

    deinit { if descriptor >= 0 { _ = close(descriptor) } }

    /// As a daemon's lock is: an empty data file beside it then is damage, and no new journal.
    func sign(by run: RunStarted, now: Timestamp) throws(JournalError) {
        try DaemonLock(path).sign(host: run.host, pid: run.pid, since: now)
    }

    /// All of it is durable, and then it is there under its name.
    func publish() throws(JournalError) {
        _ = unsafe unlink(path + "/lock.mdb")  // LMDB makes it anew
        if let reason = FileSystem.syncFolder(path) { throw .disk(path: path, reason: reason) }
        guard unsafe rename(path, destination) == 0 else {
            throw errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
                ? .exists(path: destination, what: "something that was made meanwhile")
                : .cannotCreate(path: destination, reason: FileSystem.reason(errno))
        }
        if let reason = FileSystem.syncFolder(destination + "/..") { throw .disk(path: destination, reason: reason) }
    }

    /// Takes away what was written.
    func discard() {
        guard case .folder(let files) = FileSystem.kind(of: path) else {
            _ = unsafe rmdir(path)
            return
        }
        for file in files { _ = unsafe unlink("\(path)/\(file)") }
        _ = unsafe rmdir(path)
    }
}
