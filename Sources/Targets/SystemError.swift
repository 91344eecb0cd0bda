internal import Glibc

/// A system call that failed: what it was asked and what it answered.
struct SystemError: Error, Equatable, CustomStringConvertible {
    let call: String
    let code: Int32

    /// The call that has just failed on this thread.
    static func last(_ call: String) -> SystemError { SystemError(call: call, code: errno) }

    var description: String { "\(call): \(unsafe String(cString: strerror(code)))" }

    /// The same call may succeed once somebody has made room, or the device has come back.
    var mayPass: Bool {
        switch code {
        case EACCES, EPERM, EROFS, ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, EPIPE: false
        default: true
        }
    }

    /// What an operator can do about it, as the end of a sentence.
    var advice: String {
        switch code {
        case ENOSPC, EDQUOT: "make room on that disk; the write is tried again"
        case EFBIG: "raise the process's file size limit (ulimit -f); the write is tried again"
        case EIO: "look into the kernel's log for the disk; the write is tried again"
        case EMFILE, ENFILE: "raise the limit of open files (ulimit -n)"
        case EACCES, EPERM: "give this user the right to write there"
        case EROFS: "mount that file system for writing, or name another path"
        default: mayPass ? "the write is tried again" : "name a path that can be written to"
        }
    }
}

extension TargetError {
    /// A system call failed under a target: tried again where it may pass, else for an operator.
    init(_ error: SystemError, target: String) {
        let reason = "\(error): \(error.advice)"
        self =
            error.mayPass
            ? .unavailable(target: target, reason: reason) : .misconfigured(target: target, reason: reason)
    }
}
