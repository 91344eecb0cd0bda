internal import GRDB

extension TargetError {
    /// What SQLite's error means for a target, and for whoever runs it (sqlite.org/rescode.html).
    init(_ error: DatabaseError, target: String, during operation: String) {
        let said = "\(operation): \(error.message ?? "no message") (SQLite error \(error.extendedResultCode.rawValue))"
        self =
            switch error.resultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL:
                .unavailable(
                    target: target,
                    reason: "\(said): another process holds the database's write lock; let it finish or stop it, the"
                        + " write is tried again")
            case .SQLITE_FULL:
                .unavailable(target: target, reason: "\(said): make room on that disk; the write is tried again")
            case .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_INTERRUPT, .SQLITE_ABORT:
                .unavailable(
                    target: target,
                    reason: "\(said): look for a full disk, a memory limit or the disk's errors in the kernel's log;"
                        + " the write is tried again")
            case .SQLITE_CORRUPT:
                .misconfigured(
                    target: target,
                    reason: "\(said): the database is damaged; restore it from a backup (what it lacks is read from the"
                        + " stream again), or give an empty path and a new journal")
            case .SQLITE_NOTADB:
                .misconfigured(target: target, reason: "\(said): the file is no SQLite database; name another path")
            case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN, .SQLITE_AUTH:
                .misconfigured(
                    target: target,
                    reason: "\(said): this user must be able to write the file and to make files beside it")
            case .SQLITE_CONSTRAINT:
                .misconfigured(
                    target: target,
                    reason: "\(said): a trigger, index or constraint that somebody added refuses what the source holds;"
                        + " drop it")
            case .SQLITE_TOOBIG:
                .unwritable(target: target, what: "a row", reason: said)
            default:
                .misconfigured(
                    target: target,
                    reason: "\(said): if somebody changed the tables under the daemon, undo it, then start again")
            }
    }
}
