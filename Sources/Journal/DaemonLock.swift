internal import Glibc
internal import StreamModel

/// Held by the one daemon of a journal for as long as its process lives, or by a copying that keeps daemons away.
///
/// `flock` ends with the process, however it ends, so no lock is ever left over; the file's text only says who, and as what.
final class DaemonLock: Sendable {
    private let journal: String
    private let descriptor: Int32

    /// To ask who holds the lock takes microseconds; whoever shares it for longer than that wants to keep daemons away.
    private static let attempts = 10_000

    /// - Throws: `.busy` with what the holder wrote.
    init(_ journal: String) throws(JournalError) {
        self.journal = journal
        let path = Self.path(journal)
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let reason = FileSystem.reason(errno)
            throw errno == EROFS || errno == EACCES
                ? .readOnly(path: journal, reason: reason) : .cannotCreate(path: path, reason: reason)
        }
        var attempts = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            // Where a shared lock can be had, nobody holds this one: somebody only asks, at this moment, who does.
            if flock(descriptor, LOCK_SH | LOCK_NB) == 0, attempts < Self.attempts {
                attempts += 1
                sched_yield()
                continue
            }
            // `deinit` closes it: all is initialised by now.
            throw .busy(path: journal, holder: LockHolder(Self.text(descriptor)).description)
        }
        // A copying that has ended has left its word, and whoever holds it from now on may be no copying.
        if let plain = LockHolder.withoutRole(Self.text(descriptor)) { try write(plain + "\n") }
    }

    /// Says who holds it, for those who ask and those who are refused.
    func sign(by run: RunStarted, as role: LockHolder.Role, since: Timestamp) throws(JournalError) {
        try write(LockHolder.text(host: run.host, pid: run.pid, since: since, role))
    }

    /// Over what is there, of which the rest is cut off then: so it is empty at no moment, and one line at each.
    private func write(_ line: String) throws(JournalError) {
        let text = Array(line.utf8)
        let isWritten = unsafe text.withUnsafeBytes { bytes in
            unsafe pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count
                && ftruncate(descriptor, off_t(bytes.count)) == 0
        }
        guard isWritten else { throw .disk(path: Self.path(journal), reason: FileSystem.reason(errno)) }
    }

    /// Whether a daemon has ever come as far as to lock this folder.
    static func exists(_ journal: String) -> Bool { unsafe access(path(journal), F_OK) == 0 }

    /// Whether a daemon has ever held the journal of this folder.
    static func isSigned(_ journal: String) -> Bool {
        let descriptor = unsafe open(path(journal), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { _ = Glibc.close(descriptor) }
        return !text(descriptor).isEmpty
    }

    deinit {
        guard descriptor >= 0 else { return }
        // A child that is being started has a copy of the descriptor until its exec closes it, and the lock would live as long.
        _ = flock(descriptor, LOCK_UN)
        _ = Glibc.close(descriptor)
    }

    /// Who holds the journal now; `nil` if nobody does.
    static func holder(of journal: String) -> LockHolder? {
        let descriptor = unsafe open(path(journal), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = Glibc.close(descriptor) }
        // To ask is to try. It keeps a daemon that starts at this moment waiting, and no longer: see `init`.
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0 else { return nil }
        return LockHolder(text(descriptor))
    }

    private static func path(_ journal: String) -> String { journal + "/daemon.lock" }

    /// Its line: what comes after is the rest of a longer one.
    private static func text(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        return String(decoding: bytes.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
