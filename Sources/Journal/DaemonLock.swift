internal import Glibc
internal import StreamModel

/// Held by the one daemon of a journal for as long as its process lives.
///
/// `flock` ends with the process, however it ends, so no lock is ever left over; the file's text only says who.
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
            throw .busy(path: journal, holder: Self.spoken(Self.text(descriptor)))
        }
    }

    /// Says who holds it, for those who are refused.
    func sign(host: String, pid: Int32, since: Timestamp) throws(JournalError) {
        let text = Array("{\"host\":\"\(host)\",\"pid\":\(pid),\"since\":\"\(since)\"}\n".utf8)
        let isWritten = unsafe text.withUnsafeBytes { bytes in
            unsafe ftruncate(descriptor, 0) == 0 && pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count
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
    static func holder(of journal: String) -> String? {
        let descriptor = unsafe open(path(journal), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = Glibc.close(descriptor) }
        // To ask is to try. It keeps a daemon that starts at this moment waiting, and no longer: see `init`.
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0 else { return nil }
        return spoken(text(descriptor))
    }

    /// When it was signed by whoever signed it last; `nil` if nobody did.
    static func signed(_ journal: String) -> Timestamp? {
        let descriptor = unsafe open(path(journal), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = Glibc.close(descriptor) }
        let text = text(descriptor)
        guard let label = text.firstRange(of: "\"since\":\"") else { return nil }
        return Timestamp(String(text[label.upperBound...].prefix { $0 != "\"" }))
    }

    private static func path(_ journal: String) -> String { journal + "/daemon.lock" }

    private static func text(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// `{"host":"a","pid":7,"since":"…"}` as `host a, pid 7, since …`.
    private static func spoken(_ json: String) -> String {
        let words = json.filter { !"{}\"\n".contains($0) }.split(separator: ",").map { field in
            let parts = field.split(separator: ":", maxSplits: 1)
            return parts.joined(separator: " ")
        }
        return words.isEmpty ? "unknown" : words.joined(separator: ", ")
    }
}
