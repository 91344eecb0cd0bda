internal import Glibc

/// The file that a target's URL names, checked before anything is opened.
///
/// The folder is resolved when the URL is read, so that a later change of the working directory, or a path that a
/// library reads as something else (`:memory:`, `file:…`), can't lead anywhere else.
struct TargetPath: Hashable, Sendable, CustomStringConvertible {
    /// Absolute.
    let text: String
    let folder: String

    var description: String { text }

    /// - Throws: `.misconfigured` where there is no such folder, or something other than a file is in the place.
    init(_ path: String, target: String) throws(TargetError) {
        func refused(_ reason: String) -> TargetError { .misconfigured(target: target, reason: reason) }

        if path.isEmpty { throw refused("the path is missing: write \(target)PATH, such as \(target)./orders") }
        if path.utf8.contains(0) { throw refused("a path can't hold a zero byte") }
        if path.hasPrefix("//"), !path.hasPrefix("///") {
            throw refused(
                "there is no host in such a URL: for a file in the working directory leave out the slashes, for an"
                    + " absolute path write one or three")
        }
        let slash = path.lastIndex(of: "/")
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        if name.isEmpty || name == "." || name == ".." { throw refused("\(path) is a folder: name a file in it") }
        guard let resolved = unsafe realpath(parent, nil) else {
            let hint =
                path.hasPrefix("~") ? " (the shell leaves ~ alone inside a word: write $HOME)" : ""
            throw refused(
                "the folder \(parent) can't be reached (\(SystemError.last("realpath")))\(hint): make it first, or name"
                    + " another path")
        }
        defer { unsafe free(resolved) }
        folder = unsafe String(cString: resolved)
        guard FileIdentity.kind(of: folder) == .folder else {
            throw refused("\(folder) is no folder: a path to a file in it can't be reached")
        }
        text = folder == "/" ? "/\(name)" : "\(folder)/\(name)"

        switch FileIdentity.kind(of: text) {
        case .file, .nothing: break
        case .folder: throw refused("\(text) is a folder: name a file in it")
        case .other:
            throw refused("\(text) is neither a file nor absent (a pipe or a device?): name a regular file")
        }
    }

    /// Makes an empty file where there is none, for this user alone, and makes its name durable.
    func createIfMissing() throws(SystemError) {
        let descriptor = unsafe open(text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0 {
            if errno == EEXIST { return }
            throw .last("create \(text)")
        }
        Glibc.close(descriptor)
        try synchroniseFolder()
    }

    /// Gives the file another name, `PATH.before` or the first of `PATH.before-2`, … that is free.
    func moveAway() throws(SystemError) {
        var (other, number) = (text + ".before", 1)
        while FileIdentity.kind(of: other) != .nothing {
            number += 1
            other = "\(text).before-\(number)"
        }
        guard unsafe rename(text, other) == 0 else { throw .last("rename \(text)") }
        try synchroniseFolder()
    }

    /// Makes the names in the folder durable. A file's own fsync does not (fsync(2)).
    func synchroniseFolder() throws(SystemError) {
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open \(folder)") }
        defer { Glibc.close(descriptor) }
        // Some file systems have nothing to do for a folder, and say so.
        if fsync(descriptor) != 0, errno != EINVAL { throw .last("fsync \(folder)") }
    }
}

/// Which file lies at a path, whatever it is called.
struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    enum Kind { case file, folder, other, nothing }

    /// `nil`: there is nothing at `path`.
    static func at(_ path: String) -> FileIdentity? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return FileIdentity(status)
    }

    static func kind(of path: String) -> Kind {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return .nothing }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        default: .other
        }
    }

    /// In bytes; `nil` where there is no file.
    static func length(of path: String) -> Int? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}
