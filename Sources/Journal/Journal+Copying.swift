internal import Dispatch
internal import Glibc
internal import LMDB
internal import StreamModel
internal import Synchronization

/// What a copy holds.
package struct CopyReport: Hashable, Sendable {
    package let bytes: UInt64
    /// What `verify` found in the copy.
    package let verified: VerifyReport
}

/// How far a copy is.
package enum CopyProgress: Hashable, Sendable {
    /// At most so many bytes are to be written: free pages are left out.
    case copying(bytes: UInt64, of: UInt64)
    case verifying(Position, of: Position)
}

extension Journal {
    /// Writes a copy of the journal as it is at one moment into a new folder, beside whoever appends, and verifies it there.
    ///
    /// Free pages are left out, so the copy is as small as it can be. It gets its name when it is whole and durable.
    ///
    /// - Parameters:
    ///   - path: where there must be nothing, or an empty folder.
    ///   - files: of the folder, that lines are only added to: whole lines of them are copied too.
    ///   - run: who makes it.
    ///   - replaces: it is to take this journal's place: nothing may come here that it lacks.
    /// - Throws: `.exists`, `.cannotCreate`, `.disk`; `.damaged` where the copy is not whole; `.wentOn`. Then nothing is left of it.
    package func copy(
        to path: String, with files: [String] = [], by run: RunStarted, replaces: Bool = false,
        progress: (CopyProgress) -> Void = { _ in }
    ) throws(JournalError) -> CopyReport {
        let draft = try JournalDraft(path)
        do throws(JournalError) {
            let bytes = try write(to: draft.path + "/data.mdb", progress)
            // After the events that name their lines.
            for file in files {
                if let reason = FileSystem.copyLines(from: "\(self.path)/\(file)", to: "\(draft.path)/\(file)") {
                    throw .disk(path: "\(draft.path)/\(file)", reason: reason)
                }
            }
            try draft.sign(by: run, now: surroundings.now())
            let verified = try Self.verified(draft.path, progress)
            // As late as can be: until it has its name, whoever appends is told.
            let last = replaces ? try lastPosition() : verified.lastPosition
            guard last == verified.lastPosition else {
                throw .wentOn(path: self.path, copied: verified.lastPosition, last: last)
            }
            try draft.publish()
            return CopyReport(bytes: bytes, verified: verified)
        } catch {
            draft.discard()
            throw error
        }
    }

    /// Keeps daemons away while `body` runs: what one appended meanwhile would be missing in what is made of the journal.
    ///
    /// - Throws: `.busy` where one has it; what `body` throws.
    package func withoutDaemon<Answer>(
        by run: RunStarted, _ body: () async throws(JournalError) -> Answer
    ) async throws(JournalError) -> Answer {
        let lock = try DaemonLock(path)
        // For a daemon that is refused meanwhile, and for whoever asks how it fares.
        try lock.sign(by: run, as: .copying, since: surroundings.now())
        defer { withExtendedLifetime(lock) {} }
        return try await body()
    }

    /// Writes what a backup holds into a new folder, and verifies it there.
    ///
    /// - Throws: as `copy`; `.noBackup`, `.damagedBackup`.
    package static func restore(
        _ backup: String, to path: String, with files: [String] = [], by run: RunStarted,
        progress: (CopyProgress) -> Void = { _ in }
    ) throws(JournalError) -> CopyReport {
        // Before anything is read: what is said wrongly is said at once.
        _ = try JournalDraft(path).discard()
        do throws(JournalError) {
            return try open(backup, access(to: backup)).copy(to: path, with: files, by: run, progress: progress)
        } catch {
            switch error {
            case .noJournal: throw .noBackup(path: backup, why: "there is no such folder, or it is empty")
            case .notAJournal(_, let why): throw .noBackup(path: backup, why: why)
            case .damaged(_, let position, let problem):
                throw .damagedBackup(path: backup, position: position, problem: problem)
            default: throw error
            }
        }
    }

    /// On a network nobody locks, and to a medium that can't be written nobody writes.
    private static func access(to backup: String) -> Access {
        FileSystem.networkName(magic: DataFile.fileSystemMagic(of: backup)) == nil ? .reader : .copy
    }

    private static func verified(
        _ path: String, _ progress: (CopyProgress) -> Void
    ) throws(JournalError) -> VerifyReport {
        let copy = try open(path, .copy)
        let last = try copy.lastPosition()
        return try copy.verify { progress(.verifying($0, of: last)) }
    }

    private func write(to path: String, _ progress: (CopyProgress) -> Void) throws(JournalError) -> UInt64 {
        let file = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .cannotCreate(path: path, reason: FileSystem.reason(errno)) }
        defer { _ = Glibc.close(file) }
        let environment = store.environment
        let used = UInt64(environment.usedBytes)
        let outcome = Mutex<LMDBError?>(nil)
        let done = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            do throws(LMDBError) { try environment.copy(to: file) } catch { outcome.withLock { $0 = error } }
            done.signal()
        }
        while done.wait(timeout: .now() + .milliseconds(200)) == .timedOut {
            progress(.copying(bytes: FileSystem.length(of: file), of: used))
        }
        if let error = outcome.withLock({ $0 }) {
            let failure = store.commitError(.storage(error))
            if case .disk(_, let reason) = failure { throw .disk(path: path, reason: reason) }
            throw store.translated(failure)
        }
        guard fsync(file) == 0 else { throw .disk(path: path, reason: FileSystem.reason(errno)) }
        return FileSystem.length(of: file)
    }
}
