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
    ///
    /// - Parameter opened: is told that the folder is open, and not yet held.
    init(_ destination: String, opened: () -> Void = {}) throws(JournalError) {
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
        descriptor = try Self.hold(path, opened)
        // What a killed command has left, and nothing else.
        if case .folder(let files) = FileSystem.kind(of: path) {
            guard files.contains(Self.mark) else { throw .exists(path: path, what: "a folder that is no copy in the making") }
            try Self.empty(path, of: files.filter { $0 != Self.mark })
        }
        guard fchmod(descriptor, 0o700) == 0 else {
            throw .cannotCreate(path: path, reason: FileSystem.reason(errno))
        }
        let mark = unsafe creat("\(path)/\(Self.mark)", 0o600)
        guard mark >= 0 else { throw .cannotCreate(path: path, reason: FileSystem.reason(errno)) }
        _ = close(mark)
    }

    /// How often others may have done with the folder of that name while this one is about to hold it.
    private static let attempts = 100

    /// - Returns: the folder of that name, made where there was none, and held.
    private static func hold(_ path: String, _ opened: () -> Void) throws(JournalError) -> Int32 {
        for _ in 1...attempts {
            guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw .cannotCreate(path: path, reason: FileSystem.reason(errno))
            }
            // A link is somebody's, wherever it leads.
            let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            if descriptor < 0, errno == ENOENT { continue }
            guard descriptor >= 0 else { throw .cannotCreate(path: path, reason: FileSystem.reason(errno)) }
            opened()
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                _ = close(descriptor)
                throw .busy(path: path, holder: "another command writes it")
            }
            // Whoever held it may have removed or renamed it since it was opened: then this holds a folder without that name, and
            // another command may hold the one that has it.
            if let own = FileSystem.identity(of: descriptor), own == FileSystem.identity(of: path) { return descriptor }
            _ = close(descriptor)
        }
        throw .busy(path: path, holder: "other commands write it, one after the other")
    }

    /// A file of this name tells what a killed command has left from a folder of somebody's.
    private static let mark = "incomplete"

    private static func empty(_ path: String, of files: [String]) throws(JournalError) {
        for file in files {
            guard unsafe unlink("\(path)/\(file)") == 0 else {
                throw .cannotCreate(path: "\(path)/\(file)", reason: FileSystem.reason(errno))
            }
        }
    }

    deinit { if descriptor >= 0 { _ = close(descriptor) } }

    /// As a daemon's lock is: an empty data file beside it then is damage, and no new journal.
    func sign(by run: RunStarted, now: Timestamp) throws(JournalError) {
        try DaemonLock(path).sign(by: run, as: .daemon, since: now)
    }

    /// All of it is durable, and then it is there under its name.
    func publish() throws(JournalError) {
        _ = unsafe unlink(path + "/lock.mdb")  // LMDB makes it anew
        _ = unsafe unlink("\(path)/\(Self.mark)")
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
