internal import CPipe
internal import Foundation
internal import Glibc

/// A program that was started in a process group of its own, with nothing to read and nobody to complain to.
///
/// Not Foundation's `Process`: that learns of its end only once all that the program has started has ended, too.
@safe struct ChildProcess: Sendable {
    /// Its own number and its group's, which stay its own until `reap()`.
    let id: pid_t
    /// Where what it prints is read, without waiting. Whoever starts it closes this.
    let output: Int32

    /// An error number of the system's.
    struct Failure: Error {
        let code: Int32

        var reason: String { unsafe String(cString: strerror(code)) }
    }

    private enum Setting {
        /// Source: spawn.h.
        static let group = Int16(POSIX_SPAWN_SETPGROUP)
        static let defaults = Int16(POSIX_SPAWN_SETSIGDEF)
        static let mask = Int16(POSIX_SPAWN_SETSIGMASK)
    }

    /// - Throws: why it can't be started.
    init(_ path: String, _ arguments: [String], environment: [String: String]) throws(Failure) {
        var ends: [Int32] = [-1, -1]
        // At once: another program that is started in between would hold them.
        guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else { throw Failure(code: errno) }
        let (reading, writing) = (ends[0], ends[1])
        defer { close(writing) }
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)

        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        _ = unsafe posix_spawn_file_actions_init(&actions)
        _ = unsafe posix_spawnattr_init(&attributes)
        defer {
            _ = unsafe posix_spawn_file_actions_destroy(&actions)
            _ = unsafe posix_spawnattr_destroy(&attributes)
        }
        _ = unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        _ = unsafe posix_spawn_file_actions_adddup2(&actions, writing, STDOUT_FILENO)
        _ = unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        // Not all that is open here closes itself at an `exec`. To close what isn't open is no error.
        for open in STDERR_FILENO + 1..<Self.firstAboveAll {
            _ = unsafe posix_spawn_file_actions_addclose(&actions, open)
        }
        // What this process ignores or holds back, a program need not know how to do without.
        var (all, none) = (sigset_t(), sigset_t())
        _ = unsafe sigfillset(&all)
        _ = unsafe sigemptyset(&none)
        _ = unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        _ = unsafe posix_spawnattr_setsigmask(&attributes, &none)
        _ = unsafe posix_spawnattr_setpgroup(&attributes, 0)
        _ = unsafe posix_spawnattr_setflags(&attributes, Setting.group | Setting.defaults | Setting.mask)

        Self.keepEnds()
        var child: pid_t = 0
        let code = unsafe Self.withCStrings([path] + arguments) { words in
            unsafe Self.withCStrings(environment.map { "\($0.key)=\($0.value)" }) { variables in
                unsafe posix_spawn(&child, path, &actions, &attributes, words, variables)
            }
        }
        guard code == 0 else {
            close(reading)
            throw Failure(code: code)
        }
        (id, output) = (child, reading)
    }

    /// Where whoever started us ignores the ends of its children, so would we: nobody could say how one went, and its number would be
    /// another's as soon as it has ended. Nobody here ignores them.
    private static func keepEnds() {
        var action = sigaction()
        guard unsafe sigaction(SIGCHLD, nil, &action) == 0 else { return }
        let ignores = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == Self.ignored
        if ignores || action.sa_flags & SA_NOCLDWAIT != 0 { signal(SIGCHLD, SIG_DFL) }
    }

    /// `SIG_IGN`, which is no function and can't be compared as one.
    private static let ignored = 1

    private static func withCStrings<R>(
        _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        let copies = unsafe texts.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        return unsafe body(copies + [nil])
    }

    /// Above every descriptor that is open here now.
    private static var firstAboveAll: Int32 {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return max(STDERR_FILENO, open.compactMap { Int32($0) }.max() ?? 1023) + 1
    }

    /// What it has printed and nobody has read: empty at the end of it, `nil` where there is nothing yet.
    func read() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(output, $0.baseAddress, $0.count) }
            if count >= 0 { return Array(bytes.prefix(count)) }
            if errno == EAGAIN { return nil }
            if errno != EINTR { return [] }
        }
    }

    /// Waits until it has ended, and leaves its number its own.
    ///
    /// - Returns: its status, or the number of the signal that has ended it.
    func wait() -> Int32 {
        var facts = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(id), &facts, WEXITED | WNOWAIT) != 0 {
            // It is no child any more: how it went nobody can say.
            guard errno == EINTR else { return -1 }
        }
        return unsafe facts._sifields._sigchld.si_status
    }

    /// Ends all of its group that has not left it; nobody, where its number may be another's by now.
    func endGroup() {
        var facts = unsafe siginfo_t()
        // A child of ours, over or not, has not given its number back.
        guard unsafe waitid(P_PID, id_t(id), &facts, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
        kill(-id, SIGKILL)
    }

    /// Gives its number back, once it has ended.
    func reap() {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
    }
}
